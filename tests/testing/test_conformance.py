"""Every check is shown to fail on an engine that breaks the promise it is about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ttsops.engines import EngineConfig, Step
from ttsops.engines.contract import NO_SAMPLES
from ttsops.engines.tone.engine import ToneEngine, ToneUtterance
from ttsops.errors import EngineError
from ttsops.speech import Mark, SpeechRequest, Voice
from ttsops.testing import check_engine, speak

pytestmark = pytest.mark.unit


class Broken(ToneEngine):
    """The test signal, with one fault in a subclass."""

    def __init__(self) -> None:
        super().__init__(EngineConfig())


class DropsSamplesInABatch(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        if len(batch) > 1:
            steps[0].samples = steps[0].samples[:-1]
        return steps


class SwapsListenersInABatch(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        for one, other in zip(steps[::2], steps[1::2], strict=False):
            if len(one.samples) == len(other.samples):
                one.samples, other.samples = other.samples, one.samples
        return steps


class SpeaksNan(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        for step in steps:
            step.samples = step.samples.copy()
            step.samples[100:101] = np.nan
        return steps


class SpeaksFloat64(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, samples=step.samples.astype(np.float64)) for step in super().step(batch)]


class SpeaksTwoDimensions(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, samples=step.samples[None]) for step in super().step(batch)]


class SpeaksTooLoud(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, samples=step.samples * np.float32(8)) for step in super().step(batch)]


class SpeaksSilence(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, samples=step.samples * np.float32(0)) for step in super().step(batch)]


class SpeaksAtTwiceItsRate(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, samples=np.repeat(step.samples, 2)) for step in super().step(batch)]


class DeclaresTwiceItsRate(Broken):
    def __init__(self) -> None:
        super().__init__()
        self.card = replace(self.card, sample_rate=48_000)


class EndsInSilence(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        for step in steps:
            if step.is_done and len(step.samples):
                step.samples = np.append(step.samples, np.zeros(72_000, np.float32))
        return steps


class LeaksStateBetweenUtterances(Broken):
    n_opened = 0

    def open(self, request: SpeechRequest) -> ToneUtterance:
        self.n_opened += 1
        return super().open(replace(request, seed=self.n_opened))


class SpeaksPiecesDifferently(Broken):
    def append(self, utterance: ToneUtterance, text: str) -> None:
        super().append(utterance, text + " ")


class LosesTheLastPiece(Broken):
    def end(self, utterance: ToneUtterance) -> None:
        utterance.text = utterance.text[: utterance.text.rfind(" ") + 1]
        super().end(utterance)


class EndsWithoutText(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, is_done=step.is_done or step.needs_text) for step in super().step(batch)]


class NeverAsksForText(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, needs_text=False) for step in super().step(batch)]


class NeverEnds(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return [replace(step, is_done=False) for step in super().step(batch)]


class SpeaksAfterItsEnd(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        for step in steps:
            if step.is_done and not len(step.samples):
                step.samples = np.full(10, 0.1, np.float32)
        return steps


class AcceptsAnyVoice(Broken):
    def open(self, request: SpeechRequest) -> ToneUtterance:
        return super().open(replace(request, voice=""))


class CannotCloseTwice(Broken):
    def close(self, utterance: ToneUtterance) -> None:
        del utterance.text


class BreaksWhenAbandoned(Broken):
    is_broken = False

    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        if self.is_broken:
            raise EngineError("its cache is a mess")
        return super().step(batch)

    def close(self, utterance: ToneUtterance) -> None:
        self.is_broken = self.is_broken or 0 < utterance._n_given < 5000


class FailsOnEmoji(Broken):
    def open(self, request: SpeechRequest) -> ToneUtterance:
        if request.text == "\N{GRINNING FACE}":
            raise ValueError("unexpected emoji")
        return super().open(request)


class IgnoresSpeed(Broken):
    def open(self, request: SpeechRequest) -> ToneUtterance:
        return super().open(replace(request, speed=1.0))


class MarksLate(Broken):
    """Each step gives the marks of the step before."""

    held: tuple[Mark, ...] = ()

    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        for step in steps:
            step.marks, self.held = self.held, step.marks
        return steps


class MarksBytes(Broken):
    """Places counted in UTF-8 bytes, an old mistake."""

    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        steps = super().step(batch)
        for one, step in zip(batch, steps, strict=True):
            step.marks = tuple(
                replace(mark, text_start=len(one.text[: mark.text_start].encode("utf-8", "replace")))
                for mark in step.marks
            )
        return steps


class HasNoSuchDefaultVoice(Broken):
    def voices(self) -> Sequence[Voice]:
        return (Voice("low", "Low"),)


class HasAVainAlias(Broken):
    def __init__(self) -> None:
        super().__init__()
        self.card = replace(self.card, aliases={"alloy": "brass"})


class AnswersForTooFew(Broken):
    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        return super().step(batch)[:1]


@pytest.mark.parametrize(
    ("engine", "check", "reason"),
    [
        (DropsSamplesInABatch, "batched_equals_single", "samples instead of"),
        (SwapsListenersInABatch, "batched_equals_single", "samples differ"),
        (AnswersForTooFew, "batched_equals_single", "1 steps for a batch of 4"),
        (SpeaksNan, "speaks", "not finite"),
        (SpeaksFloat64, "speaks", "float64"),
        (SpeaksTwoDimensions, "speaks", "2 dimensions"),
        (SpeaksTooLoud, "speaks", "beyond [-1, 1]"),
        (SpeaksSilence, "speaks", "silent"),
        (SpeaksAtTwiceItsRate, "marks", "later than its audio"),
        (DeclaresTwiceItsRate, "marks", "the last word is marked at"),
        (EndsInSilence, "marks", "the last word is marked at"),
        (LeaksStateBetweenUtterances, "repeats", "samples differ"),
        (SpeaksPiecesDifferently, "pieces_equal_whole", "samples instead of"),
        (LosesTheLastPiece, "pieces_equal_whole", "samples instead of"),
        (EndsWithoutText, "waits_for_text", "does not say `needs_text`"),
        (NeverAsksForText, "pieces_equal_whole", "stuck"),
        (NeverEnds, "speaks", "stuck"),
        (SpeaksAfterItsEnd, "done_is_final", "gave more audio"),
        (AcceptsAnyVoice, "unknown_voice", "no such voice"),
        (CannotCloseTwice, "close", "a second time raised AttributeError"),
        (BreaksWhenAbandoned, "abandoned", "EngineError: its cache is a mess"),
        (FailsOnEmoji, "odd_texts", "ValueError"),
        (IgnoresSpeed, "speed", "1.00 of its time"),
        (MarksLate, "marks", "later than its audio"),
        (MarksBytes, "marks", "no mark for the word"),
        (HasNoSuchDefaultVoice, "card", "default voice"),
        (HasAVainAlias, "card", "alias `alloy`"),
    ],
)
def test_a_broken_promise_is_found(engine: type[Broken], check: str, reason: str) -> None:
    report = check_engine(engine)
    assert not report.is_passed
    details = {one.name: one.detail for one in report.failures}
    assert reason in details.get(check, ""), str(report)


def test_what_is_not_promised_is_reported_and_not_failed() -> None:
    class PromisesLittle(Broken):
        def __init__(self) -> None:
            super().__init__()
            self.card = replace(
                self.card,
                deterministic=False,
                takes_text_in_pieces=False,
                gives_word_marks=False,
                has_speed=False,
            )

    report = check_engine(PromisesLittle)
    assert report.is_passed
    outcomes = {one.name: (one.outcome, one.detail) for one in report.results}
    assert outcomes["repeats"] == ("not applicable", "the card says `deterministic=False`")
    for name in ("pieces_equal_whole", "waits_for_text", "marks", "speed"):
        assert outcomes[name][0] == "not applicable"
    assert "not applicable repeats" in str(report)


def test_an_engine_without_determinism_must_still_keep_its_durations() -> None:
    class Forgets(Broken):
        def __init__(self) -> None:
            super().__init__()
            self.card = replace(self.card, deterministic=False)

        def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
            steps = super().step(batch)
            if len(batch) > 1:
                steps[0].samples = NO_SAMPLES
            return steps

    assert "batched_equals_single" in {one.name for one in check_engine(Forgets).failures}


def test_the_engine_is_shut_down_even_if_it_cannot_warm_up() -> None:
    calls: list[Any] = []

    class Cold(Broken):
        def warm_up(self) -> None:
            raise EngineError("too cold")

        def shutdown(self) -> None:
            calls.append("shutdown")

    with pytest.raises(EngineError, match="too cold"):
        check_engine(Cold)
    assert calls == ["shutdown"]


def test_speaking_raises_the_utterances_error_and_closes_it() -> None:
    closed: list[ToneUtterance] = []

    class Watched(Broken):
        def close(self, utterance: ToneUtterance) -> None:
            closed.append(utterance)

    with pytest.raises(EngineError, match="asked to fail"):
        speak(Watched(), SpeechRequest("x", options={"fail": True}))
    assert len(closed) == 1
