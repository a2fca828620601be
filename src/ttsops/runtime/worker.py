"""The worker process: one engine, one device, one socket to the API process.

Started by `ProcessLink` as `python -m ttsops.runtime.worker FD LOG`; the socket is inherited, so nobody else
can speak to it. Three threads: this one reads commands, one writes events, one steps the engine. When the API
process is gone the socket ends, and so does the worker.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Sequence

import msgspec

from ttsops.observe import logs
from ttsops.runtime.heap import freeze_heap
from ttsops.runtime.loop import EngineLoop
from ttsops.runtime.messages import (
    LENGTH_BYTES,
    MAX_FRAME_BYTES,
    Command,
    Event,
    Ping,
    Pong,
    Shutdown,
    decode_command,
    encode_frame,
)
from ttsops.settings import LogSettings


class Writer(threading.Thread):
    """Sends events in order; whatever has gathered while it sent goes out in one call."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(name="writer", daemon=True)
        self._sock = sock
        self._queue: queue.SimpleQueue[Sequence[Event] | None] = queue.SimpleQueue()

    def put(self, events: Sequence[Event]) -> None:
        """Queue events; any thread may call. Memory is bounded by the streams' windows."""
        self._queue.put(events)

    def finish(self) -> None:
        """Send what is queued, then end."""
        self._queue.put(None)
        self.join()

    def run(self) -> None:
        """Until `finish` or until the other side is gone."""
        while True:
            batches = [self._queue.get()]
            while not self._queue.empty():
                batches.append(self._queue.get())
            frames = [encode_frame(event) for events in batches if events for event in events]
            try:
                self._sock.sendall(b"".join(frames))
            except OSError:
                return
            if None in batches:
                return


def read_exactly(sock: socket.socket, n_bytes: int) -> bytes | None:
    """So many bytes, or None when the other side has closed."""
    parts = bytearray()
    while len(parts) < n_bytes:
        part = sock.recv(n_bytes - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def read_command(sock: socket.socket) -> Command | None:
    """The next command; None when the API process is gone."""
    header = read_exactly(sock, LENGTH_BYTES)
    if header is None:
        return None
    length = int.from_bytes(header, "little")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes: the other side speaks another protocol")
    body = read_exactly(sock, length)
    return None if body is None else decode_command(body)


def main(fd: int, log: LogSettings) -> int:
    """Serve one engine over the inherited socket `fd`; the log goes to the inherited stderr."""
    logs.configure(log.level, log.format)
    # A Ctrl-C in the terminal reaches the whole group; the API process drains and then says Shutdown.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sock = socket.socket(fileno=fd)
    writer = Writer(sock)
    writer.start()
    loop = EngineLoop(writer.put, on_loaded=freeze_heap)

    def run_engine() -> None:
        loop.run()
        writer.finish()
        os._exit(0)

    threading.Thread(target=run_engine, name="engine", daemon=True).start()
    while True:
        command = read_command(sock)
        if command is None:
            # Nobody listens any more. The engine may be in a long step: do not wait for it.
            os._exit(0)
        if isinstance(command, Ping):
            writer.put([Pong(command.number, loop.step_age_seconds)])
        else:
            loop.post(command)
            if isinstance(command, Shutdown):
                threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=LogSettings)))
