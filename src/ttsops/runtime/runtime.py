"""Every engine that is served, by name: the door between those who ask for speech and those who make it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from ttsops.errors import Draining, EngineUnavailable, UnknownEngine
from ttsops.runtime.link import Link, ProcessLink, ThreadLink
from ttsops.runtime.references import voices_folder, with_library
from ttsops.runtime.service import EngineService, for_failover
from ttsops.runtime.stream import Stream
from ttsops.runtime.weights import with_weights
from ttsops.settings import Settings
from ttsops.speech import SpeechRequest

DRAIN_POLL_SECONDS = 0.02


class Runtime:
    """Engines by name, each behind its worker, admission queue and breaker.

    With `in_process` the engines run on threads of this process: no socket, no child. The embedded espeak
    library is a process-wide singleton, so one such runtime at a time.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        in_process: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        make_link: Callable[[], Link] = (
            ThreadLink if in_process else lambda: ProcessLink(settings.log, settings.worker)
        )
        self.default_engine = settings.engine
        self.is_draining = False
        self.services: Mapping[str, EngineService] = {
            name: EngineService(
                name,
                with_weights(settings, name, with_library(settings, name)),
                settings.runtime,
                make_link=make_link,
                clock=clock,
                voices_folder=voices_folder(settings, name),
            )
            for name in settings.served_engines
        }
        self._failover = settings.runtime.failover
        self._clock = clock

    @property
    def is_ready(self) -> bool:
        """A request without a model would be spoken now, by its engine or the one that stands in."""
        names = [self.default_engine, *([self._failover] if self._failover else [])]
        return not self.is_draining and any(self.services[name].is_ready for name in names)

    @property
    def n_live(self) -> int:
        """Utterances open on all engines."""
        return sum(service.n_live for service in self.services.values())

    def service(self, engine: str = "") -> EngineService:
        """The engine of that name, the default one for an empty name. Raises `UnknownEngine`."""
        name = engine or self.default_engine
        if name not in self.services:
            raise UnknownEngine(
                f"engine `{name}` is not served here; these are: {', '.join(self.services)}", param="model"
            )
        return self.services[name]

    async def start(self, *, wait: bool = True) -> None:
        """Start every worker. With `wait`, until the default engine can speak; raises why it cannot."""
        for service in self.services.values():
            service.start()
        if wait:
            await self.service().wait_ready()

    async def stop(self, *, drain_seconds: float = 0.0) -> None:
        """Take nothing new, let live utterances end within the limit, cut the rest, end the workers."""
        await self.drain(drain_seconds)
        await asyncio.gather(*(service.stop() for service in self.services.values()))

    async def drain(self, limit_seconds: float) -> None:
        """Take nothing new; return when nothing is live or the limit has passed."""
        self.is_draining = True
        until = self._clock() + limit_seconds
        while self.n_live and self._clock() < until:  # noqa: ASYNC110 - over several engines
            await asyncio.sleep(DRAIN_POLL_SECONDS)

    async def __aenter__(self) -> Runtime:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def open(
        self,
        request: SpeechRequest,
        *,
        engine: str = "",
        is_live: bool = True,
        deadline_seconds: float | None = None,
        goes_on: bool = False,
    ) -> Stream:
        """A stream for `request`, checked and admitted.

        With `goes_on` it is more of what was begun before, which a drain lets end: the next sentence of an
        utterance, or of an agent's turn.

        Raises a `RequestError` for what no try would change; `Overloaded`, `Draining` or `EngineUnavailable`
        with `retry_after` for what a later try might.
        """
        if self.is_draining and not goes_on:
            raise Draining("the server is stopping", hint="try another instance", retry_after=1.0)
        service = self.service(engine)
        try:
            return await service.open(request, is_live=is_live, deadline_seconds=deadline_seconds)
        except EngineUnavailable:
            stand_in = self.services.get(self._failover)
            if stand_in is None or stand_in is service or not stand_in.is_ready:
                raise
            stream = await stand_in.open(
                for_failover(request, stand_in), is_live=is_live, deadline_seconds=deadline_seconds
            )
            stream.is_failover = True
            service.failed_over(stand_in.name)
            return stream
