"""One engine as the server sees it: its worker, who may come in, and the streams that are open."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ttsops.engines import registry
from ttsops.engines.contract import EngineCard, EngineConfig
from ttsops.errors import (
    EngineError,
    EngineUnavailable,
    NoAudio,
    TtsOpsError,
)
from ttsops.observe import metrics
from ttsops.observe.logs import get_logger
from ttsops.runtime.admission import Admission
from ttsops.runtime.breaker import Breaker
from ttsops.runtime.checks import check_live, check_request
from ttsops.runtime.control import ControlSurface, control_surface
from ttsops.runtime.identity import voice_identity
from ttsops.runtime.link import Link
from ttsops.runtime.messages import (
    Audio,
    Closed,
    Event,
    Failed,
    Faulted,
    Finished,
    Load,
    Open,
    Ready,
    Starved,
    Steps,
)
from ttsops.runtime.meters import EngineMeters
from ttsops.runtime.roster import Roster
from ttsops.runtime.stream import Stream
from ttsops.runtime.supervisor import State, Supervisor
from ttsops.settings import EngineSettings, RuntimeSettings
from ttsops.speech import SpeechRequest, Voice
from ttsops.text import TextOptions

_log = get_logger(__name__)


class EngineService:
    """Opens streams on one engine; survives its worker."""

    def __init__(
        self,
        name: str,
        engine_settings: EngineSettings,
        settings: RuntimeSettings,
        *,
        make_link: Callable[[], Link],
        clock: Callable[[], float],
        voices_folder: Path | None = None,
    ) -> None:
        """`voices_folder` is that of the recordings it speaks from, if it does."""
        self.name = name
        self.card: EngineCard = registry.card(name)
        """The registry's until the worker has answered with its own."""
        self.weights: dict[str, str] = {}
        """What is in the files of its weights, as far as is known; empty until they are loaded."""
        self.load_seconds: float | None = None
        self.last_error: TtsOpsError | None = None
        self.on_steps: Callable[[Steps], None] | None = None
        """Told of the worker's reports of its steps, for benchmarks; the metrics have them in any case."""
        self._roster = Roster(voices_folder, name)
        self._engine_settings = engine_settings
        self._settings = settings
        self._clock = clock
        self._numbers = itertools.count(1)
        self._streams: dict[int, Stream] = {}
        self._meters = EngineMeters(name)
        self._breaker = Breaker(
            failures=settings.breaker_failures, open_seconds=settings.breaker_seconds, clock=clock
        )
        self._admission = Admission(
            capacity=self.capacity,
            max_queue=settings.max_queue,
            max_wait_seconds=settings.max_queue_seconds,
            clock=clock,
        )
        self._supervisor = Supervisor(
            Load(name, engine_config(engine_settings)),
            make_link,
            settings,
            clock=clock,
            on_event=self._on_event,
            on_ready=self._on_ready,
            on_down=self._on_down,
        )

    # ---- what it is --------------------------------------------------------------------

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Whom it can speak as now; nobody before it was ready for the first time."""
        return self._roster.voices

    @property
    def state(self) -> State:
        """`loading`, `ready`, `down` or `stopped`."""
        return self._supervisor.state

    @property
    def is_ready(self) -> bool:
        """An utterance opened now would be spoken."""
        return self.state == "ready" and not self._breaker.is_open

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id."""
        return self._supervisor.pid

    @property
    def capacity(self) -> int:
        """Utterances at once: what the engine can hold, or fewer by its settings."""
        return min(self.card.max_streams, self._engine_settings.max_streams or self.card.max_streams)

    @property
    def n_live(self) -> int:
        """Places taken."""
        return self._admission.n_live

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Utterances that are open in the engine, the oldest first."""
        return tuple(self._streams.values())

    @property
    def n_queued(self) -> int:
        """Utterances waiting for a place."""
        return self._admission.n_queued

    def control(self, request: SpeechRequest, text_options: TextOptions | None = None) -> ControlSurface:
        """Every parameter that shapes the sound of a request that `check` gave.

        `text_options` are how its text was made speakable. Raises `RequestError` or `ConfigError` for a
        parameter that the engine does not know.
        """
        return control_surface(
            request,
            self.card,
            self._engine_settings,
            voices=self.voices,
            weights=self.weights,
            reference=voice_identity(self.card, self._engine_settings.options, request.voice),
            text_options=text_options,
        )

    def check(self, request: SpeechRequest) -> SpeechRequest:
        """The request with its voice resolved. Raises the `RequestError` the engine would."""
        return check_request(request, self.card, self.voices)

    # ---- life --------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker."""
        self._supervisor.start()

    async def wait_ready(self) -> None:
        """Until it can speak; raises why it cannot."""
        await self._supervisor.wait_ready()

    def cancel_all(self, reason: str) -> None:
        """End every stream, and refuse those in line."""
        self._admission.refuse_waiting(
            EngineUnavailable(f"engine `{self.name}` is stopping", retry_after=1.0)
        )
        for stream in list(self._streams.values()):
            stream.cancel(reason)

    async def stop(self) -> None:
        """End the worker; streams still open fail."""
        self.cancel_all("shutdown")
        await self._supervisor.stop()
        self._drop_streams(EngineUnavailable(f"engine `{self.name}` is stopped"))
        self._meters.ready.set(0)

    # ---- opening a stream --------------------------------------------------------------

    async def open(
        self, request: SpeechRequest, *, is_live: bool = True, deadline_seconds: float | None = None
    ) -> Stream:
        """Check, wait for a place, open. Raises `RequestError`, `Overloaded`, `EngineUnavailable`."""
        accepted_at = self._clock()
        self._refuse_if_down()
        request = self.check(request)
        if is_live:
            check_live(self.card)
        self._meters.queued.set(self.n_queued + 1)
        try:
            await self._admission.enter()
        finally:
            self._meters.queued.set(self.n_queued)
        try:
            self._refuse_if_down()
            if not self._breaker.enter():
                raise self._unavailable("fails too often and is left alone", self._breaker.retry_after())
        except EngineUnavailable:
            self._admission.leave()
            raise
        return self._open(request, is_live, deadline_seconds, accepted_at)

    def _open(
        self, request: SpeechRequest, is_live: bool, deadline_seconds: float | None, accepted_at: float
    ) -> Stream:
        settings = self._settings
        window = settings.live_window_seconds if is_live else settings.file_window_seconds
        stream = Stream(
            next(self._numbers),
            request,
            self.card,
            send=self._supervisor.send,
            on_end=self._on_stream_end,
            meters=self._meters,
            clock=self._clock,
            accepted_at=accepted_at,
            is_live=is_live,
            window_seconds=window,
            slow_reader_seconds=settings.slow_reader_seconds,
        )
        self._streams[stream.number] = stream
        self._meters.live.set(self.n_live)
        self._meters.queue_wait.observe(stream.stats.queue_wait_seconds)
        self._supervisor.send(Open(stream.number, request, window, is_live))
        stream.set_deadline(min(deadline_seconds or settings.utterance_seconds, settings.utterance_seconds))
        return stream

    def _refuse_if_down(self) -> None:
        if self.state != "ready":
            why = f" ({self.last_error})" if self.last_error is not None else ""
            raise self._unavailable(f"is {self.state}{why}", self._supervisor.ready_in())
        if self._breaker.retry_after() > 0:
            raise self._unavailable("fails too often and is left alone", self._breaker.retry_after())

    def _unavailable(self, what: str, retry_after: float) -> EngineUnavailable:
        hint = "send the request again later"
        if self.last_error is not None and self.last_error.hint and self.state != "ready":
            hint = self.last_error.hint
        return EngineUnavailable(f"engine `{self.name}` {what}", hint=hint, retry_after=max(1.0, retry_after))

    def failed_over(self, used: str) -> None:
        """Another engine spoke in this one's place."""
        self._meters.failed_over(used)

    # ---- what the worker says ----------------------------------------------------------

    def _on_ready(self, event: Ready) -> None:
        self.card = event.card
        self._roster.tell(event.voices)
        self.weights = event.weights
        self.load_seconds = event.load_seconds
        self.last_error = None
        self._breaker.succeeded()
        self._admission.resize(self.capacity)
        self._meters.capacity.set(self.capacity)
        self._meters.load_time.set(event.load_seconds)
        self._meters.ready.set(1)
        self._meters.breaker_open.set(0)
        metrics.MACHINE.watch_worker(self.name, self.worker_pid)
        if self._supervisor.n_starts > 1:
            self._meters.restarts.inc()
        _log.info(
            "worker_ready", engine=self.name, pid=self.worker_pid, load_seconds=round(event.load_seconds, 3)
        )

    def _on_down(self, error: TtsOpsError) -> None:
        self.last_error = error
        metrics.MACHINE.watch_worker(self.name, None)
        self._meters.ready.set(0)
        self._meters.breaker_open.set(1)
        ready_in = self._supervisor.ready_in()
        _log.warning(
            "worker_down",
            engine=self.name,
            code=error.code,
            reason=error.message,
            n_streams=len(self._streams),
            ready_in_seconds=round(ready_in, 3),
        )
        retry_after = max(1.0, ready_in)
        self._drop_streams(type(error)(error.message, hint=error.hint, retry_after=retry_after))

    def _drop_streams(self, error: TtsOpsError) -> None:
        """The worker is gone: every stream ends, every place is free, nobody waits for nothing."""
        self._admission.refuse_waiting(self._unavailable(f"ended ({error})", error.retry_after or 1.0))
        for number in list(self._streams):
            self._streams[number].on_failed(error)
            self._close(number)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Steps):
            self._meters.steps(event.seconds, event.batch_sizes)
            if self.on_steps is not None:
                self.on_steps(event)
            return
        if isinstance(event, Closed):
            self._close(event.stream)
            return
        stream = self._streams.get(getattr(event, "stream", 0))
        if stream is None:
            return
        if isinstance(event, Audio):
            stream.on_audio(event)
        elif isinstance(event, Starved):
            stream.on_starved()
        elif isinstance(event, Faulted):
            self._meters.faulted(event.faults)
        elif isinstance(event, Finished):
            stream.on_finished(event.synthesis_seconds)
        elif isinstance(event, Failed):
            stream.on_failed(event.error.to_error())

    def _close(self, number: int) -> None:
        stream = self._streams.pop(number, None)
        if stream is not None:
            self._admission.leave()
            self._meters.live.set(self.n_live)
            stream.on_closed()

    def _on_stream_end(self, stream: Stream, error: TtsOpsError | None, reason: str) -> None:
        if error is None:
            self._breaker.succeeded()
            self._meters.breaker_open.set(0)
            if stream.stats.synthesis_seconds is not None:
                self._meters.synthesis.observe(stream.stats.synthesis_seconds)
            return
        self._meters.cancelled(reason)
        # A text without a speakable word is no fault of the engine; a dead worker is already dealt with.
        is_engine_fault = isinstance(error, EngineError) and not isinstance(error, NoAudio)
        if is_engine_fault and self.state == "ready" and self._breaker.failed():
            self._meters.breaker_open.set(1)
            # A device in a bad state stays in it: begin again with a fresh process.
            self._supervisor.restart(error)


def engine_config(settings: EngineSettings) -> EngineConfig:
    """What an engine is set up with, from what is in the settings."""
    return EngineConfig(
        device=settings.device,
        dtype=settings.dtype,
        max_batch=settings.max_batch,
        max_streams=settings.max_streams,
        options=settings.options,
    )


def for_failover(request: SpeechRequest, service: EngineService) -> SpeechRequest:
    """The request as another engine can speak it: its own options and unknown voices are left out."""
    known = {spec.name for spec in service.card.options}
    options = {name: value for name, value in request.options.items() if name in known}
    pitch = request.pitch if service.card.has_pitch else 1.0
    request = replace(request, options=options, pitch=pitch)
    try:
        return service.check(request)
    except TtsOpsError as error:
        if error.code != "unknown_voice":
            raise
        return service.check(replace(request, voice=""))
