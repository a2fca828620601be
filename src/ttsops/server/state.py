"""What every route shares: the runtime, the settings, the keys, and what is going on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.types import Scope

from ttsops.errors import NoReferences, TtsOpsError, UnknownEngine
from ttsops.observe import metrics
from ttsops.observe.outcomes import outcome_of
from ttsops.runtime import EngineService, Runtime
from ttsops.runtime.references import library_folder
from ttsops.server.encoding import EncoderPool
from ttsops.server.health import RecentPerformance
from ttsops.server.keys import KeyStore
from ttsops.server.quota import Quotas
from ttsops.settings import Settings
from ttsops.voices.library import VoiceLibrary

SPEECH_ROUTE = "/v1/audio/speech"
STREAM_ROUTE = "/v1/audio/speech/stream"
SYNTHESIZE_ROUTE = "/synthesize"
SPEECH_ROUTES = frozenset({SPEECH_ROUTE, STREAM_ROUTE, SYNTHESIZE_ROUTE})

NO_ENGINE = "none"
"""The `engine` label of a request that named none that is served: a made-up name must not become a label."""


class ServerState:
    """One per application; lives as long as it."""

    def __init__(
        self, runtime: Runtime, settings: Settings, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.runtime = runtime
        self.settings = settings
        self.clock = clock
        self.keys = _load_keys(settings)
        self.quotas = Quotas()
        self.recent = RecentPerformance()
        self.encoders = EncoderPool()
        self.preparing = asyncio.Semaphore(1)
        """One recording at a time: two minutes of it take some hundred megabytes while they are cut."""
        folder = library_folder(settings)
        self._library = VoiceLibrary(folder) if folder else None
        self.started_at = time.time()
        self._warming: asyncio.Future[None] | None = None
        self._n_answering = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @property
    def uptime_seconds(self) -> float:
        """Since the application was made."""
        return time.time() - self.started_at

    def engine_label(self, engine: str) -> str:
        """`engine` as a metric's label; empty means the default one."""
        with contextlib.suppress(UnknownEngine):
            return self.service(engine).name
        return NO_ENGINE

    def service(self, engine: str) -> EngineService:
        """The engine, empty for the default one. Raises `UnknownEngine`."""
        return self.runtime.service(engine)

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

    async def warm_up(self) -> None:
        """Pay the first call's costs of codecs and text rules; however often it is asked, once."""
        if self._warming is None:
            self._warming = asyncio.ensure_future(self.encoders.warm_up())
        await asyncio.shield(self._warming)

    # ---- what is going on --------------------------------------------------------------

    def began_answering(self) -> None:
        """An utterance is on its way to a listener. Every call needs an `ended_answering`."""
        self._n_answering += 1
        self._is_idle.clear()

    def ended_answering(self) -> None:
        """Its last byte was handed to the socket, or it broke off."""
        self._n_answering -= 1
        if not self._n_answering:
            self._is_idle.set()

    async def wait_idle(self, limit_seconds: float) -> bool:
        """Until nobody is being answered; False if somebody still is when the limit has passed.

        Longer than the engines are busy: audio that is made may take minutes to be listened to.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_seconds):
                await self._is_idle.wait()
        return self._is_idle.is_set()


def state_of(scope: Scope) -> ServerState:
    """The state of the application that handles `scope`."""
    state: ServerState = scope["app"].state.server
    return state


def _load_keys(settings: Settings) -> KeyStore | None:
    if not settings.server.keys_file:
        return None
    store = KeyStore(settings.server.keys_file)
    store.load()
    return store
