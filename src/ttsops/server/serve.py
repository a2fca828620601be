"""`ttsops serve`: the application on a socket, from the first byte to the last.

SIGTERM or SIGINT drains: readiness goes off at once, new utterances get 503 after `server.lame_duck_seconds`,
live ones end within the limit, then the process ends with 0. A second signal ends it at once. The socket is
open while the engines still load, so that probes get an answer; the address is printed when the default
engine can speak.

With `server.metrics_port` the metrics are on that port only: what is open to the world and what is for the
operator are two networks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from ttsops.agent import Agent
from ttsops.agent.keys import read_key
from ttsops.agent.local import LocalSpeech
from ttsops.errors import ConfigError, TtsOpsError
from ttsops.models.cache import cache_folder
from ttsops.models.hub import OFFLINE
from ttsops.observe import tracing
from ttsops.observe.logs import get_logger
from ttsops.observe.metrics import MACHINE
from ttsops.runtime import Runtime
from ttsops.runtime.heap import freeze_heap
from ttsops.server.app import create_app
from ttsops.server.routes import metrics
from ttsops.server.site import SiteState
from ttsops.server.state import ServerState
from ttsops.settings import Settings

SIGNALS = (signal.SIGTERM, signal.SIGINT)

BACKLOG = 2048
"""Connections that may wait to be accepted: a burst, not a queue."""

LAST_BYTES_SECONDS = 1
"""For connections to close once everything was said, or cut off."""

EXIT_OK = 0
EXIT_SIGNAL = 128
"""Plus the signal's number, when a second signal ended it at once."""

Site = tuple[ASGIApp, socket.socket]

log = get_logger(__name__)


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers: it would close the socket before the last utterance has ended."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield


def run_on_uvloop(main: Coroutine[Any, Any, int]) -> int:
    """Run it to its end, on the quicker loop where there is one."""
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def serve(settings: Settings) -> int:
    """Run until a signal; the process's exit code. Whatever is loaded meanwhile, nothing is downloaded.

    Raises `ConfigError` for an address or a key file that cannot be had, and whatever keeps the default
    engine from speaking, unless another may stand in for it.
    """
    os.environ[OFFLINE] = "1"
    return run_on_uvloop(_serve(settings))


def http_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How the application is put on a socket, here and in tests."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        # A longer message is answered in the protocol, not by cutting the socket: see `protocol.decode`.
        ws_max_size=2 * settings.server.max_body_bytes,
        ws_per_message_deflate=False,  # audio does not get smaller, only later
        log_config=None,
        access_log=False,  # one line per utterance is written by `record`
        server_header=False,
        timeout_keep_alive=settings.server.keep_alive_seconds,
        timeout_graceful_shutdown=LAST_BYTES_SECONDS,
    )


async def _serve(settings: Settings) -> int:
    stop_tracing = start_tracing(settings, "tts-ops")
    runtime = Runtime(settings)
    _watch_disks(settings)
    agent = _agent(runtime, settings) if settings.agent.enabled else None
    app = create_app(runtime, settings, agent)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(stop_tracing)
        if agent is not None:
            stack.push_async_callback(agent.aclose)
        sites = stack.enter_context(sites_of(app, settings))
        return await _run(runtime, app, settings, sites)


def start_tracing(settings: Settings, service: str) -> Callable[[], None]:
    """If it is wanted; gives what ends it. Raises `NotInstalled` without the extra `otel`."""
    trace = settings.trace
    return tracing.configure(service, trace.endpoint, trace.ratio) if trace.enabled else lambda: None


def _watch_disks(settings: Settings) -> None:
    """Where files are written, and where weights lie: their free space is among the metrics."""
    MACHINE.watch_disk("state", Path.cwd())
    MACHINE.watch_disk("models", cache_folder(settings))
    if settings.voices.folder:
        MACHINE.watch_disk("voices", Path(settings.voices.folder))


@contextlib.contextmanager
def sites_of(app: ASGIApp, settings: Settings) -> Iterator[list[Site]]:
    """Applications and their open sockets: `app`, and the metrics where they have a port of their own.

    Raises `ConfigError` if an address cannot be had.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(quieter_uvicorn())
        sites: list[Site] = [(app, stack.enter_context(listen(settings, settings.server.port)))]
        if settings.server.metrics_port is not None:
            metrics_listener = stack.enter_context(listen(settings, settings.server.metrics_port))
            sites.append((_metrics_app(), metrics_listener))
        yield sites


def _agent(runtime: Runtime, settings: Settings) -> Agent:
    return Agent(settings, LocalSpeech(runtime), key=read_key(settings.llm, os.environ))


async def _run(runtime: Runtime, app: FastAPI, settings: Settings, sites: list[Site]) -> int:
    state: ServerState = app.state.server
    signals: asyncio.Queue[int] = asyncio.Queue()
    async with handled(signals), listening(settings, sites) as servers:
        starting = asyncio.create_task(_start(runtime, state, sites[0][1]))
        first = asyncio.create_task(signals.get())
        try:
            awaited = {starting, first, *servers}
            while not first.done():
                done, awaited = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # an engine that cannot be had, or a server that broke
            agent: Agent | None = getattr(app.state, "agent", None)
            return await leave(state, signals, partial(_take_no_more, runtime, agent))
        finally:
            starting.cancel()
            first.cancel()
            await runtime.stop()


async def _start(runtime: Runtime, state: ServerState, listener: socket.socket) -> None:
    settings = state.settings
    try:
        await runtime.start()
    except TtsOpsError as error:
        if not settings.runtime.failover:
            raise
        log.error("engine_not_ready", engine=runtime.default_engine, code=error.code, reason=error.message)
        await runtime.service(settings.runtime.failover).wait_ready()
    await state.warm_up()
    freeze_heap()
    say(_ready_line(runtime, listener))


async def _take_no_more(runtime: Runtime, agent: Agent | None) -> None:
    await runtime.drain(0.0)
    if agent is not None:
        await agent.take_no_more()


async def leave(
    site: SiteState, signals: asyncio.Queue[int], take_no_more: Callable[[], Awaitable[None]]
) -> int:
    """Until nobody is being answered, the limit has passed, or a second signal came; the exit code.

    `take_no_more` makes new requests be refused from then on.
    """
    leaving = asyncio.create_task(_leave(site, take_no_more))
    second = asyncio.create_task(signals.get())
    try:
        await asyncio.wait((leaving, second), return_when=asyncio.FIRST_COMPLETED)
        if second.done():
            return EXIT_SIGNAL + second.result()
        leaving.result()
        return EXIT_OK
    finally:
        leaving.cancel()
        second.cancel()


async def _leave(site: SiteState, take_no_more: Callable[[], Awaitable[None]]) -> None:
    lame_duck_seconds = site.settings.server.lame_duck_seconds
    limit_seconds = site.settings.runtime.drain_seconds
    log.info("draining", limit_seconds=limit_seconds, lame_duck_seconds=lame_duck_seconds)
    site.is_leaving = True
    await asyncio.sleep(lame_duck_seconds)
    site.is_draining = True
    await take_no_more()
    await site.wait_idle(limit_seconds)


@asynccontextmanager
async def handled(signals: asyncio.Queue[int]) -> AsyncIterator[None]:
    """Inside the block SIGTERM and SIGINT go into `signals`."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, signals.put_nowait, number)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def listening(settings: Settings, sites: list[Site]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Every site answers inside the block; leaving it closes what is still connected."""
    servers = [HttpServer(http_config(site, settings)) for site, _ in sites]
    tasks = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, (_, listener) in zip(servers, sites, strict=True)
    ]
    try:
        yield tasks
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)


def _metrics_app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.include_router(metrics.router)
    return app


def listen(settings: Settings, port: int) -> socket.socket:
    """The socket, open. Raises `ConfigError` if it cannot be had."""
    host = settings.server.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            hint="choose another with --port, or 0 for any free one",
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Handed down to every connection. The runtime stops speaking to who does not read; this gives up the
        # bytes that are on their way, which otherwise wait for as long as the other side answers probes.
        limit_ms = round(settings.runtime.slow_reader_seconds * 1000)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)
    return listener


def url_of(listener: socket.socket) -> str:
    """Where it can be called."""
    host, port = listener.getsockname()[:2]
    # Nobody can call the address that means "all of them".
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def _ready_line(runtime: Runtime, listener: socket.socket) -> str:
    url = url_of(listener)
    return (
        f"tts-ops speaks on {url} (engine {runtime.default_engine}). Try:\n\n"
        f"  curl {url}/v1/audio/speech -H 'content-type: application/json' \\\n"
        """    -d '{"input": "Hello from tts-ops", "response_format": "wav"}' -o hello.wav\n"""
    )


@contextlib.contextmanager
def quieter_uvicorn() -> Iterator[None]:
    """Without what `serve` says itself, a line for each socket, and a complaint about bodies that do not end.

    Not ending a body is how a broken stream is shown to its client.
    """
    logger = logging.getLogger("uvicorn.error")
    level = logger.level

    def keep(record: logging.LogRecord) -> bool:
        return record.msg != "ASGI callable returned without completing response."

    logger.addFilter(keep)
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeFilter(keep)


def say(text: str) -> None:
    """Tell a person: stdout is for data."""
    print(text, file=sys.stderr, flush=True)
