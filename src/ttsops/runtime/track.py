"""One stream inside the worker: its text, its place in the schedule, its audio on the way out."""

from __future__ import annotations

import numpy as np

from ttsops.audio import StreamResampler
from ttsops.engines.contract import Engine, Step
from ttsops.errors import BadAudio, NoAudio, TtsOpsError
from ttsops.runtime.feed import Feed, make_feed
from ttsops.runtime.messages import Audio, Closed, Event, Failed, Faulted, Finished, Open, Starved, WireError
from ttsops.runtime.scheduler import Turn
from ttsops.speech import SAMPLE_RATE, Samples


class Track(Turn):
    """A `Turn` with a voice. Opening it may raise what the engine raises."""

    __slots__ = ("_feed", "_n_out", "_resampler", "_synthesis_seconds", "is_over", "number")

    def __init__(self, engine: Engine, message: Open, now: float) -> None:
        super().__init__(now, is_live=message.is_live, window_seconds=message.window_seconds)
        self.number = message.stream
        self.is_over = False
        self._n_out = 0
        self._synthesis_seconds = 0.0
        self._resampler = StreamResampler(engine.card.sample_rate, SAMPLE_RATE)
        self._feed: Feed = make_feed(engine, message.request)
        self.waits_for_text = self._feed.utterance is None

    @property
    def utterance(self) -> object:
        """What the engine is asked to step."""
        return self._feed.utterance

    def append(self, text: str, now: float) -> None:
        """More text: whoever was starved is due again."""
        self._feed.append(text)
        self._wake(now)

    def end(self, now: float) -> list[Event]:
        """No more text; the events of a stream that has nothing left to say."""
        self._feed.end()
        self._wake(now)
        return self._finish() if self._feed.utterance is None else []

    def take(self, step: Step, now: float, step_seconds: float) -> list[Event]:
        """What a step did, as events."""
        self._synthesis_seconds += step_seconds
        faults: list[Event] = [Faulted(self.number, step.faults)] if step.faults else []
        if step.error is not None:
            return faults + self.fail(step.error)
        if not np.isfinite(step.samples).all():
            return faults + self.fail(
                BadAudio("the engine made samples that are not numbers", hint="try again")
            )
        marks = tuple(self._feed.place(mark) for mark in step.marks)
        samples = self._resampler.process(step.samples)
        is_done = self._feed.after(step, len(step.samples))
        events = faults
        if len(samples) or marks:
            events.append(self._audio(samples, marks))
        self.stepped(now, len(samples) / SAMPLE_RATE)
        if is_done:
            return events + self._finish()
        if step.needs_text or self._feed.utterance is None:
            self.waits_for_text = True
            events.append(Starved(self.number))
        return events

    def fail(self, error: TtsOpsError) -> list[Event]:
        """End with an error."""
        return [Failed(self.number, WireError.of(error)), *self.close()]

    def close(self) -> list[Event]:
        """Free its slot."""
        self.is_over = True
        self._feed.close()
        return [Closed(self.number)]

    def _wake(self, now: float) -> None:
        if self._feed.utterance is not None:
            self.resumed(now)

    def _audio(self, samples: Samples, marks: tuple = ()) -> Audio:  # type: ignore[type-arg]
        self._n_out += len(samples)
        return Audio(self.number, samples.astype("<f4", copy=False).tobytes(), marks)

    def _finish(self) -> list[Event]:
        rest = self._resampler.finish()
        events: list[Event] = [self._audio(rest)] if len(rest) else []
        if not self._n_out:
            return self.fail(NoAudio("nothing in this text can be spoken", param="text", hint="send words"))
        return [*events, Finished(self.number, self._synthesis_seconds), *self.close()]
