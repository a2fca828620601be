"""What the routes of the speech server share: what every application has, the runtime, the voices."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.types import Scope

from ttsops.errors import EngineUnavailable, NoReferences, TtsOpsError, UnknownEngine
from ttsops.observe import metrics
from ttsops.observe.outcomes import outcome_of
from ttsops.runtime import EngineService, Runtime
from ttsops.runtime.references import library_folder
from ttsops.server.health import RecentPerformance
from ttsops.server.site import SiteState
from ttsops.settings import Settings
from ttsops.voices.library import VoiceLibrary

SPEECH_ROUTE = "/v1/audio/speech"
STREAM_ROUTE = "/v1/audio/speech/stream"
SYNTHESIZE_ROUTE = "/synthesize"
SPEECH_ROUTES = frozenset({SPEECH_ROUTE, STREAM_ROUTE, SYNTHESIZE_ROUTE})

NO_ENGINE = "none"
"""The `engine` label of a request that named none that is served: a made-up name must not become a label."""


class ServerState(SiteState):
    """One per application; lives as long as it."""

    def __init__(
        self, runtime: Runtime, settings: Settings, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(settings, clock=clock)
        self.runtime = runtime
        self.recent = RecentPerformance()
        self.preparing = asyncio.Semaphore(1)
        """One recording at a time: two minutes of it take some hundred megabytes while they are cut."""
        folder = library_folder(settings)
        self._library = VoiceLibrary(folder) if folder else None

    def check_can_begin(self) -> None:
        """Nor does it while no engine speaks: at the start, or when the only worker has died."""
        super().check_can_begin()
        if not any(service.is_ready for service in self.runtime.services.values()):
            raise EngineUnavailable(
                "no engine can speak yet", hint="try again, or another instance", retry_after=1.0
            )

    def engine_label(self, engine: str) -> str:
        """`engine` as a metric's label; empty means the default one."""
        with contextlib.suppress(UnknownEngine):
            return self.service(engine).name
        return NO_ENGINE

    def service(self, engine: str) -> EngineService:
        """The engine, empty for the default one. Raises `UnknownEngine`."""
        return self.runtime.service(engine)

    @property
    def has_library(self) -> bool:
        """Whether voices can be made from recordings here."""
        return self._library is not None

    @property
    def library(self) -> VoiceLibrary:
        """The voices made from recordings. Raises `NoReferences` where there are none."""
        if self._library is None:
            raise NoReferences(
                "no engine here speaks from recordings",
                hint="the operator sets `voices.folder`, and serves an engine that clones voices",
            )
        return self._library

    def refused(self, path: str, error: TtsOpsError) -> None:
        """A request for speech was turned away before anybody looked at what it asked for."""
        if path in SPEECH_ROUTES:
            metrics.REQUESTS.labels(route=path, engine=NO_ENGINE, outcome=outcome_of(error)).inc()
            metrics.ERRORS.labels(engine=NO_ENGINE, code=error.code).inc()


def state_of(scope: Scope) -> ServerState:
    """The state of the speech server that handles `scope`."""
    state: ServerState = scope["app"].state.server
    return state
