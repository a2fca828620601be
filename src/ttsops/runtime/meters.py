"""One engine's metrics with their labels already bound: looked up once, not per chunk."""

from __future__ import annotations

from collections.abc import Iterable

from ttsops.engines.contract import Fault
from ttsops.observe import metrics


class EngineMeters:
    """What the runtime counts for one engine. Units are in `ttsops.observe.definitions`."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.live = metrics.LIVE_STREAMS.labels(engine=engine)
        self.queued = metrics.QUEUED_STREAMS.labels(engine=engine)
        self.capacity = metrics.MAX_STREAMS.labels(engine=engine)
        self.queue_wait = metrics.QUEUE_WAIT.labels(engine=engine)
        self.synthesis = metrics.SYNTHESIS_DURATION.labels(engine=engine)
        self.rtf = metrics.RTF.labels(engine=engine)
        self.audio = metrics.AUDIO_SECONDS.labels(engine=engine)
        self.underruns = metrics.UNDERRUNS.labels(engine=engine)
        self.underrun_seconds = metrics.UNDERRUN_SECONDS.labels(engine=engine)
        self.ready = metrics.ENGINE_READY.labels(engine=engine)
        self.breaker_open = metrics.BREAKER_OPEN.labels(engine=engine)
        self.restarts = metrics.WORKER_RESTARTS.labels(engine=engine)
        self.load_time = metrics.MODEL_LOAD_TIME.labels(engine=engine)
        self._step_duration = metrics.STEP_DURATION.labels(engine=engine)
        self._batch_size = metrics.BATCH_SIZE.labels(engine=engine)
        self.ready.set(0)
        self.breaker_open.set(0)

    def steps(self, seconds: Iterable[float], batch_sizes: Iterable[int]) -> None:
        """Steps the worker reported."""
        for value in seconds:
            self._step_duration.observe(value)
        for size in batch_sizes:
            self._batch_size.observe(size)

    def cancelled(self, reason: str) -> None:
        """An utterance was ended before its end."""
        metrics.CANCELS.labels(engine=self.engine, reason=reason).inc()

    def faulted(self, faults: Iterable[Fault]) -> None:
        """What the engine noticed in its own speech."""
        for fault in faults:
            metrics.SPEECH_FAULTS.labels(engine=self.engine, fault=fault.kind, answer=fault.answer).inc()

    def failed_over(self, used: str) -> None:
        """Another engine spoke in this one's place."""
        metrics.FAILOVERS.labels(engine=self.engine, used=used).inc()
