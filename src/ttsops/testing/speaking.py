"""Drive an engine as the runtime does, to the end of each utterance, without threads or sockets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ttsops.engines.contract import NO_SAMPLES, Engine, Step, Utterance
from ttsops.speech import Mark, Samples, SpeechRequest
from ttsops.testing.outcome import require

MAX_EMPTY_STEPS = 2_000
"""An utterance that gives nothing in so many steps is taken to be stuck."""

MAX_SECONDS = 600.0
"""Audio after which an utterance is taken to have no end."""


@dataclass(slots=True)
class Spoken:
    """All that came out of one utterance."""

    sample_rate: int
    samples: Samples = field(default_factory=lambda: NO_SAMPLES)
    """[N]"""

    marks: tuple[Mark, ...] = ()
    n_steps: int = 0

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / self.sample_rate


def speak(engine: Engine, request: SpeechRequest, *, pieces: Sequence[str] | None = None) -> Spoken:
    """Everything the engine says for `request`, or for its text given in `pieces` as it asks for them.

    Raises the utterance's error, or `CheckFailed` if it breaks the contract of a step or never ends.
    """
    if pieces is None:
        return speak_together(engine, [request])[0]
    return _finish_all(
        engine, [_Listener(engine, replace(request, text="", is_text_complete=False), pieces)]
    )[0]


def speak_together(engine: Engine, requests: Sequence[SpeechRequest]) -> list[Spoken]:
    """Everything the engine says for each of `requests`, all open at once, in batches as large as may be."""
    return _finish_all(engine, [_Listener(engine, request) for request in requests])


def finish(engine: Engine, utterance: Utterance) -> None:
    """Step one utterance to its end. Raises its error, or `CheckFailed` if it gets stuck."""
    for _ in range(MAX_EMPTY_STEPS):
        step = engine.step([utterance])[0]
        if step.error:
            raise step.error
        if step.is_done:
            return
    require(False, f"no end after {MAX_EMPTY_STEPS} steps")


def _finish_all(engine: Engine, listeners: Sequence[_Listener]) -> list[Spoken]:
    waiting = list(listeners)
    try:
        while waiting:
            batch, waiting = waiting[: engine.card.max_batch], waiting[engine.card.max_batch :]
            steps = engine.step([one.utterance for one in batch])
            require(len(steps) == len(batch), f"{len(steps)} steps for a batch of {len(batch)}")
            # Whoever was stepped goes to the back: every utterance gets its turn, as under the scheduler.
            waiting += [one for one, step in zip(batch, steps, strict=True) if not one.take(step)]
        return [one.spoken() for one in listeners]
    finally:
        for one in listeners:
            engine.close(one.utterance)


class _Listener:
    """One utterance, what is left to append to it, and what it said."""

    def __init__(self, engine: Engine, request: SpeechRequest, pieces: Sequence[str] = ()) -> None:
        self._engine = engine
        self._pieces = list(pieces)
        self._is_text_complete = request.is_text_complete
        self._parts: list[Samples] = [NO_SAMPLES]
        self._marks: list[Mark] = []
        self._n_steps = 0
        self._n_empty = 0
        self._n_samples = 0
        self.utterance: Utterance = engine.open(request)

    def take(self, step: Step) -> bool:
        """Keep what a step gave; True when it was the last."""
        if step.error:
            raise step.error
        check_samples(step.samples)
        heard_seconds = self._n_samples / self._engine.card.sample_rate
        for mark in step.marks:
            require(mark.start_seconds >= heard_seconds - 1e-6, "a mark came later than its audio")
        self._parts.append(step.samples)
        self._marks += step.marks
        self._n_steps += 1
        self._n_empty = 0 if len(step.samples) else self._n_empty + 1
        self._n_samples += len(step.samples)
        require(self._n_empty < MAX_EMPTY_STEPS, f"stuck: {self._n_empty} steps in a row without a sample")
        require(
            self._n_samples < MAX_SECONDS * self._engine.card.sample_rate, f"no end after {MAX_SECONDS:g} s"
        )
        if step.needs_text:
            require(not step.is_done, "a step says both `is_done` and `needs_text`")
            self._give_text()
        return step.is_done

    def _give_text(self) -> None:
        require(not self._is_text_complete, "asks for text though its end was announced")
        if self._pieces:
            self._engine.append(self.utterance, self._pieces.pop(0))
        else:
            self._engine.end(self.utterance)
            self._is_text_complete = True

    def spoken(self) -> Spoken:
        return Spoken(
            self._engine.card.sample_rate, np.concatenate(self._parts), tuple(self._marks), self._n_steps
        )


def check_samples(samples: Samples) -> None:
    """One step's audio: mono float32, finite, within [-1, 1]."""
    require(isinstance(samples, np.ndarray), f"samples are a {type(samples).__name__}, not an array")
    require(samples.dtype == np.float32, f"samples are {samples.dtype}, not float32")
    require(samples.ndim == 1, f"samples have {samples.ndim} dimensions, not 1")
    require(bool(np.isfinite(samples).all()), "samples are not finite")
    peak = float(np.abs(samples).max(initial=0.0))
    require(peak <= 1.0, f"samples reach {peak:g}, beyond [-1, 1]")
