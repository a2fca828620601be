"""The engine thread: commands in, one batched step after another, events out.

The only thread that touches the engine. It waits for commands only when no step would make progress, and
looks at them between steps: a cancelled utterance is gone before the next one.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence

from ttsops.engines import registry
from ttsops.engines.contract import Engine, EngineConfig, Step
from ttsops.errors import EngineError, EngineUnavailable, TtsOpsError
from ttsops.observe.logs import get_logger
from ttsops.runtime.identity import weights_identity
from ttsops.runtime.messages import (
    Ack,
    Append,
    Cancel,
    Closed,
    Command,
    End,
    Event,
    Failed,
    Load,
    LoadFailed,
    Open,
    Ready,
    Shutdown,
    Steps,
    WireError,
)
from ttsops.runtime.scheduler import pick
from ttsops.runtime.track import Track

REPORT_SECONDS = 0.5

_log = get_logger(__name__)

Emit = Callable[[Sequence[Event]], None]
Create = Callable[[str, EngineConfig], Engine]


class EngineLoop:
    """Runs one engine. `post` may be called from any thread, `run` is the engine thread's body."""

    def __init__(
        self,
        emit: Emit,
        *,
        create: Create = registry.create,
        clock: Callable[[], float] = time.monotonic,
        on_loaded: Callable[[], None] = lambda: None,
    ) -> None:
        self._emit = emit
        self._on_loaded = on_loaded
        self._create = create
        self._clock = clock
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._tracks: dict[int, Track] = {}
        self._busy_since: float | None = None
        self._step_seconds: list[float] = []
        self._batch_sizes: list[int] = []
        self._reported_at = 0.0
        self._max_batch = 1

    def post(self, command: Command) -> None:
        """Hand over a command; it is looked at before the next step."""
        self._commands.put(command)

    @property
    def step_age_seconds(self) -> float:
        """For how long the engine call in progress has run; 0 between calls. Any thread may ask."""
        since = self._busy_since
        return 0.0 if since is None else self._clock() - since

    def run(self) -> None:
        """Load, serve until `Shutdown`, give the device back."""
        engine = self._load()
        if engine is None:
            return
        while self._take_commands(engine):
            now = self._clock()
            batch = pick(self._tracks.values(), now, self._max_batch)
            if batch:
                self._step(engine, batch)
        for track in self._tracks.values():
            track.close()
        engine.shutdown()

    def _load(self) -> Engine | None:
        command = self._commands.get()
        if not isinstance(command, Load):
            return None
        started = self._clock()
        try:
            engine = self._create(command.engine, command.config)
            engine.warm_up()
            voices = tuple(engine.voices())
        except Exception as error:
            self._emit([LoadFailed(self._wire(error, EngineUnavailable))])
            return None
        self._on_loaded()
        self._max_batch = min(engine.card.max_batch, command.config.max_batch or engine.card.max_batch)
        load_seconds = self._clock() - started
        weights = weights_identity(engine.card, command.config.options)
        self._emit([Ready(engine.card, voices, load_seconds, weights)])
        return engine

    def _take_commands(self, engine: Engine) -> bool:
        """Handle everything that waits; block only if no step would make progress. False after Shutdown."""
        if not any(track.is_runnable for track in self._tracks.values()):
            self._report(force=True)
            if not self._handle(engine, self._commands.get()):
                return False
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return True
            if not self._handle(engine, command):
                return False

    def _handle(self, engine: Engine, command: Command) -> bool:
        if isinstance(command, Shutdown):
            return False
        self._busy_since = now = self._clock()
        try:
            if isinstance(command, Open):
                self._open(engine, command, now)
            elif isinstance(command, Append | End | Ack | Cancel):
                self._change(command, now)
        finally:
            self._busy_since = None
        return True

    def _open(self, engine: Engine, command: Open, now: float) -> None:
        try:
            self._tracks[command.stream] = Track(engine, command, now)
        except Exception as error:
            self._emit([Failed(command.stream, self._wire(error, EngineError)), Closed(command.stream)])

    def _change(self, command: Append | End | Ack | Cancel, now: float) -> None:
        """Commands for a stream that has just ended are late, not wrong."""
        track = self._tracks.get(command.stream)
        if track is None:
            return
        events: list[Event] = []
        try:
            if isinstance(command, Ack):
                track.read(command.seconds)
            elif isinstance(command, Append):
                track.append(command.text, now)
            elif isinstance(command, End):
                events = track.end(now)
            else:
                events = track.close()
        except Exception as error:
            events = track.fail(self._wire(error, EngineError).to_error())
        self._send(events, [track])

    def _step(self, engine: Engine, batch: list[Track]) -> None:
        self._busy_since = started = self._clock()
        try:
            steps: list[Step] = engine.step([track.utterance for track in batch])
        except Exception as error:
            failure = self._wire(error, EngineError).to_error()
            steps = [Step(error=failure) for _ in batch]
        now = self._clock()
        seconds = now - started
        events: list[Event] = []
        for track, step in zip(batch, steps, strict=True):
            try:
                events += track.take(step, now, seconds)
            except Exception as error:
                events += track.fail(self._wire(error, EngineError).to_error())
        self._busy_since = None
        self._send(events, batch)
        self._step_seconds.append(seconds)
        self._batch_sizes.append(len(batch))
        self._report()

    def _send(self, events: list[Event], touched: list[Track]) -> None:
        if events:
            self._emit(events)
        for track in touched:
            if track.is_over:
                del self._tracks[track.number]

    def _report(self, *, force: bool = False) -> None:
        now = self._clock()
        if self._step_seconds and (force or now - self._reported_at >= REPORT_SECONDS):
            self._emit([Steps(tuple(self._step_seconds), tuple(self._batch_sizes))])
            self._step_seconds.clear()
            self._batch_sizes.clear()
            self._reported_at = now

    def _wire(self, error: Exception, default: type[TtsOpsError]) -> WireError:
        """Our own errors travel as they are; anything else is a bug, told by name and logged in full."""
        if isinstance(error, TtsOpsError):
            return WireError.of(error)
        _log.error("engine_bug", error=type(error).__name__, exc_info=error)
        return WireError.of(default(f"{type(error).__name__}: {error}", hint="see the worker's log"))
