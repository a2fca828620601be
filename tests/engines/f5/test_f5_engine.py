"""The engine over small random weights: what is heard depends on the request alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from ttsops.engines.contract import EngineConfig, Step
from ttsops.engines.f5 import engine as engine_module
from ttsops.engines.f5.card import PRESETS
from ttsops.engines.f5.engine import F5Engine
from ttsops.engines.f5.loading import create
from ttsops.engines.f5.sampler import advance
from ttsops.engines.f5.utterance import FIRST_WINDOW, Utterance
from ttsops.engines.f5.voices import VoiceState
from ttsops.errors import BadAudio, ConfigError, EmptyText, InvalidValue, Overloaded, UnknownVoice
from ttsops.speech import OptionValue, Samples, SpeechRequest
from ttsops.testing import check_engine, speak, speak_together

pytestmark = pytest.mark.unit

TEXT = "The first bus leaves at seven."
LONG = (
    "The harbour wakes before the town does. Men carry crates of ice along the quay, gulls argue over what "
    "the nets have left, and the first ferry waits with its lamps still lit."
)
LOW, HIGH = "en-Low_none", "en-High_none"
HOP = 256


def small_engine(**options: OptionValue) -> F5Engine:
    settings: dict[str, OptionValue] = {"random_weights": "small"} | options
    return create(EngineConfig(device="cpu", max_streams=8, options=settings))


@pytest.fixture(scope="module")
def engine() -> F5Engine:
    return small_engine()


def steps_of(engine: F5Engine, request: SpeechRequest) -> list[Step]:
    utterance = engine.open(request)
    steps = []
    while not steps or not (steps[-1].is_done or steps[-1].error):
        steps += engine.step([utterance])
    engine.close(utterance)
    return steps


def mixed_requests() -> list[SpeechRequest]:
    options: list[dict[str, OptionValue]] = [
        {},
        {"nfe": 5, "cfg_strength": 0.0},
        {"nfe": 9, "sway": 0.0},
        {"cross_fade": 0.0, "cfg_strength": 4.0},
    ]
    return [
        SpeechRequest(text, voice=voice, seed=i, options=chosen, speed=1 + 0.1 * i)
        for i, (text, voice, chosen) in enumerate(
            zip((TEXT, LONG, "No.", LONG[40:]), (LOW, HIGH, LOW, HIGH), options, strict=True)
        )
    ]


def test_it_keeps_the_contract() -> None:
    report = check_engine(small_engine)
    assert report.is_passed, str(report)


def test_a_step_is_one_evaluation_of_the_network_then_windows_of_sound(engine: F5Engine) -> None:
    steps = steps_of(engine, SpeechRequest(TEXT, seed=1, options={"nfe": 9}))
    n_silent = next(i for i, step in enumerate(steps) if len(step.samples))
    assert n_silent == 9 - 1, "the ninth evaluation and the first window are one step"
    assert len(steps[n_silent].samples) == FIRST_WINDOW * HOP


def test_a_mixed_batch_in_one_padded_pass_equals_everybody_alone(
    engine: F5Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = mixed_requests()
    alone = [speak(engine, request).samples for request in requests]
    monkeypatch.setattr(engine_module, "advance", lambda model, flows: advance(model, flows, together=True))
    for one, other in zip(alone, speak_together(engine, requests), strict=True):
        np.testing.assert_allclose(other.samples, one, atol=1e-4, rtol=0)


def test_whoever_leaves_between_steps_changes_nothing_for_the_others(engine: F5Engine) -> None:
    stayer, leaver = mixed_requests()[:2]
    expected = speak(engine, stayer).samples
    both = [engine.open(stayer), engine.open(leaver)]
    heard: list[Samples] = []
    for _ in range(3):
        heard.append(engine.step(both)[0].samples)
    engine.close(both.pop())
    while not both[0].is_done:
        heard.append(engine.step(both)[0].samples)
    engine.close(both[0])
    np.testing.assert_array_equal(np.concatenate(heard), expected)


def test_the_first_sound_of_a_long_text_needs_a_short_chunk_only(engine: F5Engine) -> None:
    steps = steps_of(engine, SpeechRequest(LONG, seed=1))
    sounding = [i for i, step in enumerate(steps) if len(step.samples)]
    gaps = np.diff(sounding)
    assert sounding[0] == 6
    assert (gaps > 1).sum() >= 1, "a later chunk is sampled while the first is heard"
    n_first = sum(len(step.samples) for step in steps[: sounding[0] + int(np.argmax(gaps > 1)) + 1])
    assert n_first < 0.5 * sum(len(step.samples) for step in steps)


def test_chunks_are_cross_faded_in_a_stream_too(engine: F5Engine) -> None:
    request = SpeechRequest(LONG, seed=1)
    faded = speak(engine, request).samples
    bare = speak(engine, replace(request, options={"cross_fade": 0.0})).samples
    n_saved = len(bare) - len(faded)
    assert n_saved > 0
    assert n_saved % round(0.15 * 24_000) == 0


def test_the_same_seed_gives_the_same_speech_and_another_does_not(engine: F5Engine) -> None:
    first, again, other = (speak(engine, SpeechRequest(LONG, seed=seed)).samples for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert len(first) == len(other)
    assert np.abs(first - other).max() > 1e-3


def test_speed_shortens_what_is_spoken(engine: F5Engine) -> None:
    slow, fast = (len(speak(engine, SpeechRequest(LONG, speed=speed, seed=1)).samples) for speed in (1, 2))
    assert 0.4 < fast / slow < 0.65


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_a_number_of_steps(engine: F5Engine, preset: str) -> None:
    utterance = engine.open(SpeechRequest(TEXT, options={"preset": preset}))
    assert utterance._wish.schedule.n_steps == PRESETS[preset]
    engine.close(utterance)


def test_what_a_request_says_itself_goes_before_its_preset(engine: F5Engine) -> None:
    utterance = engine.open(SpeechRequest(TEXT, options={"preset": "archive", "nfe": 5}))
    assert utterance._wish.schedule.n_steps == 5
    engine.close(utterance)


def test_a_poisoned_voice_fails_alone(engine: F5Engine) -> None:
    good = SpeechRequest(TEXT, seed=1)
    expected = speak(engine, good).samples
    victim, poisoned = engine.open(good), engine.open(SpeechRequest(TEXT, seed=2))
    voice = poisoned._voice
    poisoned._voice = VoiceState(
        torch.full_like(voice.mel, float("nan")), voice.prefix, voice.pace, voice.loudness
    )
    heard: list[Samples] = []
    failures = 0
    batch: list[Utterance] = [poisoned, victim]
    while not victim.is_done:
        steps = engine.step(batch)
        heard.append(steps[-1].samples)
        if len(batch) == 2 and steps[0].error:
            assert isinstance(steps[0].error, BadAudio)
            failures += 1
            engine.close(batch.pop(0))
    engine.close(victim)
    assert failures == 1
    np.testing.assert_array_equal(np.concatenate(heard), expected)


def test_a_text_of_more_than_all_positions_is_cut_into_chunks(engine: F5Engine) -> None:
    utterance = engine.open(SpeechRequest("a" * 9000))
    assert len(utterance._chunks) > 3
    assert all(chunk.frames <= 2812 for chunk in utterance._chunks)
    engine.close(utterance)


@pytest.mark.parametrize("text", ["", " \n "])
def test_nothing_to_say_is_refused(engine: F5Engine, text: str) -> None:
    with pytest.raises(EmptyText):
        engine.open(SpeechRequest(text))


def test_an_unknown_voice_is_refused_with_those_there_are(engine: F5Engine) -> None:
    with pytest.raises(UnknownVoice) as caught:
        engine.open(SpeechRequest(TEXT, voice="nobody"))
    assert LOW in str(caught.value.hint)


def test_a_full_engine_says_so_and_a_closed_utterance_makes_room() -> None:
    engine = create(EngineConfig(device="cpu", max_streams=1, options={"random_weights": "small"}))
    first = engine.open(SpeechRequest(TEXT))
    with pytest.raises(Overloaded):
        engine.open(SpeechRequest(TEXT))
    engine.close(first)
    engine.close(first)
    engine.close(engine.open(SpeechRequest(TEXT)))


def test_with_known_schedules_their_weights_are_gone_and_others_are_refused() -> None:
    everything, few = small_engine(), small_engine(only_nfe="9, 16")
    assert few._defaults["nfe"] == 9
    request = SpeechRequest(TEXT, seed=1, options={"nfe": 16})
    np.testing.assert_array_equal(speak(few, request).samples, speak(everything, request).samples)
    for options in ({"nfe": 7}, {"sway": 0.0}):
        with pytest.raises(InvalidValue, match="not prepared"):
            few.open(SpeechRequest(TEXT, options=options))
    assert not few._model.modulations._layers


@pytest.mark.parametrize("wrong", ["7;16", "four", "3", "7,65"])
def test_numbers_of_steps_that_cannot_be_are_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="only_nfe"):
        small_engine(only_nfe=wrong)


class Clock:
    """Each look at it finds it later."""

    def __init__(self, seconds: float) -> None:
        self._each = seconds
        self._now = 0.0

    def perf_counter(self) -> float:
        self._now += self._each
        return self._now


@pytest.mark.parametrize(("step_seconds", "is_realtime"), [(0.01, True), (5.0, False)])
def test_a_device_that_is_too_slow_for_live_streams_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step_seconds: float,
    is_realtime: bool,
) -> None:
    engine = small_engine()
    monkeypatch.setattr(engine_module, "time", Clock(step_seconds))
    with caplog.at_level(logging.WARNING):
        engine.warm_up()
    assert engine.card.is_realtime is is_realtime
    assert ("makes files" in caplog.text) is not is_realtime
    assert engine._n_open == 0


def test_live_streams_can_be_offered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = small_engine(live=True)
    monkeypatch.setattr(engine_module, "time", Clock(5.0))
    engine.warm_up()
    assert engine.card.is_realtime


def test_nothing_grows_over_two_hundred_requests(engine: F5Engine) -> None:
    def n_tensors() -> int:
        import gc

        gc.collect()
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    def serve(requests: Sequence[SpeechRequest]) -> None:
        for request in requests:
            utterance = engine.open(request)
            engine.step([utterance])  # and is cut off
            engine.close(utterance)

    serve([SpeechRequest(TEXT, seed=i) for i in range(5)])
    before = n_tensors()
    serve([SpeechRequest(TEXT, seed=i, options={"nfe": 5 + i % 60}) for i in range(200)])
    # Tables of schedules are kept, a bounded number of them.
    assert n_tensors() - before <= 40
