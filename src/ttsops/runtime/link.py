"""The API process's end of a worker: send commands, receive events, be told when it is gone.

`ProcessLink` is a child process behind an inherited socket pair: no name in the file system, no port, nobody
else can connect. `ThreadLink` is the same engine loop on a thread of this process, for the command line and
tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from ttsops.engines import registry
from ttsops.runtime.environment import worker_environment
from ttsops.runtime.loop import Create, EngineLoop
from ttsops.runtime.messages import (
    LENGTH_BYTES,
    MAX_FRAME_BYTES,
    Command,
    Event,
    Ping,
    Pong,
    decode_event,
    encode_frame,
)
from ttsops.settings import LogSettings, WorkerSettings

OnEvent = Callable[[Event], None]


class Link(Protocol):
    """One worker, from its start to its end. Callbacks run on the event loop."""

    pid: int | None

    async def start(self, on_event: OnEvent) -> None:
        """Start the worker."""
        ...

    def send(self, command: Command) -> None:
        """Hand over a command; ignored once the worker is gone."""
        ...

    def kill(self) -> None:
        """End it now, whatever it does."""
        ...

    async def wait_closed(self) -> str:
        """Until it is gone; how it ended, as a phrase (`killed by signal 9`)."""
        ...


class ProcessLink:
    """A worker in a process of its own."""

    def __init__(self, log: LogSettings, worker: WorkerSettings | None = None) -> None:
        self.pid: int | None = None
        self._log = log
        self._worker = worker or WorkerSettings()
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._closed = asyncio.Event()

    async def start(self, on_event: OnEvent) -> None:
        """Spawn the interpreter and adopt our end of the socket pair."""
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - a spawn takes a millisecond
                [
                    sys.executable,
                    "-m",
                    "ttsops.runtime.worker",
                    str(theirs.fileno()),
                    msgspec.json.encode(self._log).decode(),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=worker_environment(self._worker, os.environ),
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_unix_connection(
            lambda: FrameReader(on_event, self._closed.set), sock=ours
        )
        self._transport = transport

    def send(self, command: Command) -> None:
        """Write a frame; commands are small, so the transport's buffer is bound enough."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(command))

    def kill(self) -> None:
        """SIGKILL: a hung device call answers to nothing else."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    async def wait_closed(self) -> str:
        """Until the socket has ended and the process is reaped."""
        await self._closed.wait()
        process = self._process
        assert process is not None
        if self._transport is not None:
            self._transport.close()
        # A process that closed its socket but lives on would hold the device.
        for _ in range(100):
            if process.poll() is not None:
                break
            await asyncio.sleep(0.01)
        else:
            process.kill()
        code = await asyncio.get_running_loop().run_in_executor(None, process.wait)
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


class FrameReader(asyncio.Protocol):
    """Cuts the byte stream into frames."""

    def __init__(self, on_event: OnEvent, on_closed: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_closed = on_closed
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, to close it on a broken frame."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Every complete frame becomes an event."""
        buffer = self._buffer
        buffer += data
        start = 0
        with memoryview(buffer) as view:
            while len(buffer) - start >= LENGTH_BYTES:
                length = int.from_bytes(view[start : start + LENGTH_BYTES], "little")
                if length > MAX_FRAME_BYTES and self._transport is not None:
                    self._transport.abort()
                    break
                end = start + LENGTH_BYTES + length
                if end > len(buffer):
                    break
                self._on_event(decode_event(view[start + LENGTH_BYTES : end]))
                start = end
        del buffer[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """The worker is gone, or about to be."""
        self._on_closed()


class ThreadLink:
    """The engine loop on a thread of this process."""

    def __init__(self, create: Create = registry.create) -> None:
        self.pid: int | None = os.getpid()
        self._create = create
        self._engine_loop: EngineLoop | None = None
        self._on_event: OnEvent | None = None
        self._closed = asyncio.Event()

    async def start(self, on_event: OnEvent) -> None:
        """Start the engine thread."""
        loop = asyncio.get_running_loop()

        def call(function: Callable[..., None], *args: object) -> None:
            # The loop may be closed while the engine ends its last step: nobody listens any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(function, *args)

        def deliver(events: Sequence[Event]) -> None:
            for event in events:
                on_event(event)

        self._on_event = on_event
        engine_loop = self._engine_loop = EngineLoop(
            lambda events: call(deliver, events), create=self._create
        )

        def run() -> None:
            try:
                engine_loop.run()
            finally:
                call(self._closed.set)

        threading.Thread(target=run, name="engine", daemon=True).start()

    def send(self, command: Command) -> None:
        """Queue a command for the engine thread; a Ping is answered here, as the worker's reader does."""
        assert self._engine_loop is not None
        assert self._on_event is not None
        if isinstance(command, Ping):
            self._on_event(Pong(command.number, self._engine_loop.step_age_seconds))
        else:
            self._engine_loop.post(command)

    def kill(self) -> None:
        """Give the thread up: a thread cannot be killed, only no longer waited for."""
        self._closed.set()

    async def wait_closed(self) -> str:
        """Until the loop has ended."""
        await self._closed.wait()
        return "thread ended"
