"""The real server on a real socket, in a thread of this process: clients of any kind can talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import uvloop

from ttsops.agent import Agent
from ttsops.agent.local import LocalSpeech
from ttsops.observe import metrics
from ttsops.runtime import Runtime
from ttsops.server.app import create_app
from ttsops.server.serve import HttpServer, http_config, listen
from ttsops.server.state import ServerState
from ttsops.settings import EngineSettings, RuntimeSettings, ServerSettings, Settings
from ttsops.speech import OptionValue

T = TypeVar("T")


class Site:
    """A server that answers at `url`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runtime: Runtime
        self.state: ServerState
        self.agent: Agent | None = None
        self.loop: asyncio.AbstractEventLoop
        self._listener = listen(settings, 0)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/v1/audio/speech/stream"
        self._stop: asyncio.Event
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="site")

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(30), "the server did not start"
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        if self._failure is None:
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"

    def call(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine where the server runs."""
        return asyncio.run_coroutine_threadsafe(make(), self.loop).result(30)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._listener.close()
            self._failure = error
            self._started.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with Runtime(self.settings, in_process=True) as self.runtime:
            is_agent = self.settings.agent.enabled
            self.agent = Agent(self.settings, LocalSpeech(self.runtime)) if is_agent else None
            app = create_app(self.runtime, self.settings, self.agent)
            self.state = app.state.server
            server = HttpServer(http_config(app, self.settings))
            task = asyncio.create_task(server.serve(sockets=[self._listener]))
            while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
                await asyncio.sleep(0.005)
            self._started.set()
            await self._stop.wait()
            server.should_exit = True
            await task
            if self.agent is not None:
                await self.agent.aclose()


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[Site]:
    site = Site(settings)
    site.start()
    try:
        yield site
    finally:
        site.stop()


def tone_settings(
    *,
    max_streams: int | None = None,
    server: dict[str, Any] | None = None,
    runtime: dict[str, Any] | None = None,
    **options: OptionValue,
) -> Settings:
    """The test signal, as quick as it can be unless `options` say otherwise."""
    return Settings(
        engine="tone",
        engines={"tone": EngineSettings(max_streams=max_streams, options=options)},
        server=ServerSettings(**(server or {})),
        runtime=RuntimeSettings(**(runtime or {})),
    )


def client_of(site: Site, **more: Any) -> httpx.Client:
    return httpx.Client(base_url=site.url, timeout=20, trust_env=False, **more)


def metric(name: str, **labels: str) -> float:
    """What is counted now; 0 for what never was."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0
