"""The engine over small random weights: what is heard depends on the request alone."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from ttsops.engines.contract import EngineConfig
from ttsops.engines.vibevoice import engine as engine_module
from ttsops.engines.vibevoice.engine import VibeVoiceEngine
from ttsops.engines.vibevoice.length import LengthBound
from ttsops.engines.vibevoice.loading import create
from ttsops.engines.vibevoice.utterance import Utterance
from ttsops.errors import EmptyText, InvalidValue, NoEos, Overloaded, TextTooLong, UnknownVoice
from ttsops.speech import OptionValue, Samples, SpeechRequest
from ttsops.testing import check_engine, speak, speak_together

pytestmark = pytest.mark.unit

LOW, HIGH = "en-Low_none", "en-High_none"
TEXT = "The first bus leaves at seven."
SCRIPT = "Speaker 1: Did you see the harbour?\nSpeaker 2: I did. Every boat was out."
HOP = 3200
ATOL = 1e-4


def small_engine(**options: OptionValue) -> VibeVoiceEngine:
    settings: dict[str, OptionValue] = {"random_weights": "small", "max_positions": 1024} | options
    return create(EngineConfig(device="cpu", options=settings))


@pytest.fixture(scope="module")
def engine() -> VibeVoiceEngine:
    return small_engine()


def dialogue(seed: int = 0, **options: OptionValue) -> SpeechRequest:
    return SpeechRequest(SCRIPT, voice=LOW, seed=seed, options={"speakers": HIGH} | options)


def finish(engine: VibeVoiceEngine, utterance: Utterance) -> Samples:
    heard = []
    while not utterance.is_done:
        heard.append(engine.step([utterance])[0].samples)
    engine.close(utterance)
    return np.concatenate(heard)


def n_steps_to_sound(engine: VibeVoiceEngine, request: SpeechRequest) -> int:
    utterance = engine.open(request)
    n_steps = 1
    while not len(engine.step([utterance])[0].samples):
        n_steps += 1
    engine.close(utterance)
    return n_steps


def test_it_keeps_the_contract() -> None:
    report = check_engine(small_engine)
    assert report.is_passed, str(report)


def test_dialogues_with_settings_of_their_own_equal_everybody_alone(engine: VibeVoiceEngine) -> None:
    requests = [
        dialogue(seed=1),
        SpeechRequest(TEXT, voice=HIGH, seed=2, options={"steps": 5, "cfg_scale": 1.0}),
        dialogue(seed=3, steps=7, cfg_scale=2.0),
        SpeechRequest("No.", voice=LOW, seed=4, options={"solver": "sde-dpmsolver++"}),
    ]
    alone = [speak(engine, request).samples for request in requests]
    together = speak_together(engine, requests)
    for expected, found in zip(alone, together, strict=True):
        assert len(expected) > 0
        np.testing.assert_allclose(found.samples, expected, atol=ATOL, rtol=0)


def test_whoever_leaves_changes_nothing_for_the_others(engine: VibeVoiceEngine) -> None:
    expected = speak(engine, dialogue(seed=5)).samples
    stayer, leaver = engine.open(dialogue(seed=5)), engine.open(SpeechRequest(TEXT, voice=HIGH))
    heard = [engine.step([stayer, leaver])[0].samples for _ in range(6)]
    engine.close(leaver)
    heard.append(finish(engine, stayer))
    np.testing.assert_allclose(np.concatenate(heard), expected, atol=ATOL, rtol=0)


def test_each_speaker_has_the_voice_that_is_named(engine: VibeVoiceEngine) -> None:
    low_high, high_low, low_low = (
        speak(engine, SpeechRequest(SCRIPT, voice=one, seed=1, options={"speakers": other})).samples
        for one, other in ((LOW, HIGH), (HIGH, LOW), (LOW, LOW))
    )
    for other in (high_low, low_low):
        n_both = min(len(low_high), len(other))
        # Random weights make little of a voice; the same voices give the same to the last bit.
        assert np.abs(low_high[:n_both] - other[:n_both]).max() > 2e-5


def test_only_those_who_speak_are_in_the_prompt(engine: VibeVoiceEngine) -> None:
    alone = speak(engine, SpeechRequest(TEXT, voice=LOW, seed=1)).samples
    unused = speak(engine, SpeechRequest(TEXT, voice=LOW, seed=1, options={"speakers": HIGH})).samples
    np.testing.assert_array_equal(alone, unused)


def test_a_second_utterance_with_the_same_voices_is_the_same_and_begins_at_once() -> None:
    engine = small_engine()
    first_wait = n_steps_to_sound(engine, dialogue(seed=1))
    kept_wait = n_steps_to_sound(engine, dialogue(seed=1))
    assert kept_wait < first_wait, "voices were heard and the prefix read for the first one"
    kept = speak(engine, dialogue(seed=1)).samples
    np.testing.assert_array_equal(kept, speak(small_engine(), dialogue(seed=1)).samples)


def test_two_that_wait_for_the_same_voices_share_the_work() -> None:
    engine = small_engine()
    one, other = engine.open(dialogue(seed=1)), engine.open(dialogue(seed=2))
    assert one.unfinished is other.unfinished
    for _ in range(20):
        engine.step([one, other])
    assert one.unfinished is None
    engine.close(one)
    np.testing.assert_array_equal(
        finish(engine, other)[-HOP:], speak(small_engine(), dialogue(seed=2)).samples[-HOP:]
    )


def test_whoever_leaves_while_voices_are_prepared_leaves_no_gap() -> None:
    engine = small_engine()
    leaver = engine.open(dialogue(seed=1))
    engine.step([leaver])
    engine.close(leaver)
    found = speak(engine, dialogue(seed=1)).samples
    np.testing.assert_array_equal(found, speak(small_engine(), dialogue(seed=1)).samples)


def test_a_voice_nobody_has_is_refused_for_any_speaker(engine: VibeVoiceEngine) -> None:
    for request in (SpeechRequest(TEXT, voice="nobody"), dialogue(speakers="nobody")):
        with pytest.raises(UnknownVoice, match="nobody") as caught:
            engine.open(request)
        assert LOW in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "speakers", "said"),
    [
        (SCRIPT, "", "`Speaker 2` of the script has no voice"),
        ("Speaker 1: One.\nSpeaker 4: Four.", f"{HIGH},{LOW}", "`Speaker 4` of the script has no voice"),
        (TEXT, ",".join([LOW] * 4), "names 4 voices, must be at most 3"),
        ("Speaker 1: One.\nAnd who says this?", HIGH, "lines 2 of the script do not say who speaks"),
    ],
)
def test_a_script_that_cannot_be_cast_is_refused(
    engine: VibeVoiceEngine, text: str, speakers: str, said: str
) -> None:
    with pytest.raises(InvalidValue, match=said):
        engine.open(SpeechRequest(text, voice=LOW, options={"speakers": speakers}))


@pytest.mark.parametrize("text", ["", " \n ", "Speaker 1:"])
def test_nothing_to_say_is_refused(engine: VibeVoiceEngine, text: str) -> None:
    with pytest.raises(EmptyText):
        engine.open(SpeechRequest(text))


def test_a_script_whose_speech_would_not_fit_is_refused_before_it_costs_anything(
    engine: VibeVoiceEngine,
) -> None:
    with pytest.raises(TextTooLong, match=r"take about \d+ positions of 1024"):
        engine.open(SpeechRequest("word " * 400))
    assert len(engine._slots._free._free) == engine.card.max_streams


def test_a_full_engine_says_so_and_a_closed_utterance_makes_room(engine: VibeVoiceEngine) -> None:
    taken = [engine.open(SpeechRequest(TEXT)) for _ in range(engine.card.max_streams)]
    with pytest.raises(Overloaded):
        engine.open(SpeechRequest(TEXT))
    engine.close(taken[0])
    engine.close(taken[0])
    taken.append(engine.open(SpeechRequest(TEXT)))
    for utterance in taken:
        engine.close(utterance)


def test_speech_without_an_end_is_cut_off_and_says_so(
    engine: VibeVoiceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_usual = speak(engine, SpeechRequest(TEXT, seed=1)).n_steps
    monkeypatch.setattr(engine, "_bound", LengthBound(0.1, 4))
    utterance = engine.open(SpeechRequest(TEXT, seed=1))
    steps = [engine.step([utterance])[0]]
    while not steps[-1].error:
        assert not steps[-1].is_done
        steps += engine.step([utterance])
    engine.close(utterance)
    assert isinstance(steps[-1].error, NoEos)
    assert "max_frames_per_char" in steps[-1].error.hint
    assert len(steps) <= n_usual
    assert sum(len(step.samples) for step in steps) <= (4 + 3) * HOP, "what was said is heard"


def test_the_bound_grows_with_the_text(engine: VibeVoiceEngine) -> None:
    short, long = (speak(engine, SpeechRequest(text, seed=1)).n_steps for text in ("No.", TEXT * 5))
    assert long > 2 * short


class Clock:
    """Each look at it finds it later."""

    def __init__(self, seconds: float) -> None:
        self._each = seconds
        self._now = 0.0

    def perf_counter(self) -> float:
        self._now += self._each
        return self._now


@pytest.mark.parametrize(
    ("frame_seconds", "is_live_anyway", "is_realtime"),
    [(0.1, False, True), (0.2, False, False), (0.2, True, True)],
)
def test_a_device_that_is_too_slow_for_live_streams_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    frame_seconds: float,
    is_live_anyway: bool,
    is_realtime: bool,
) -> None:
    engine = small_engine(live=is_live_anyway)
    monkeypatch.setattr(engine_module, "time", Clock(frame_seconds))
    with caplog.at_level(logging.WARNING):
        engine.warm_up()
    assert engine.card.is_realtime is is_realtime
    assert ("makes files" in caplog.text) is not is_realtime
    assert len(engine._slots._free._free) == engine.card.max_streams


def test_after_warming_up_the_default_voice_is_ready(engine: VibeVoiceEngine) -> None:
    cold, warm = small_engine(), small_engine()
    warm.warm_up()
    request = replace(dialogue(seed=1), text=TEXT, options={})
    assert n_steps_to_sound(warm, request) <= n_steps_to_sound(cold, request)
    utterance = warm.open(SpeechRequest(TEXT))
    assert utterance.unfinished is None
    warm.close(utterance)
