import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from ttsops.engines import EngineConfig, registry
from ttsops.engines.tone.engine import HANG_SECONDS, ToneEngine
from ttsops.engines.tone.signal import render
from ttsops.errors import ConfigError, EngineError, EngineUnavailable, UnknownVoice
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.testing import VirtualClock, check_engine, speak, speak_together

pytestmark = pytest.mark.unit


def tone(clock: VirtualClock | None = None, **options: OptionValue) -> ToneEngine:
    clock = clock or VirtualClock()
    return ToneEngine(EngineConfig(options=options), sleep=clock.sleep, clock=clock)


@pytest.mark.parametrize("in_pieces", [True, False])
def test_tone_passes_the_conformance_checks(in_pieces: bool) -> None:
    report = check_engine(lambda: tone(takes_text_in_pieces=in_pieces))
    assert report.is_passed, str(report)


def test_its_samples_are_a_function_of_text_voice_and_seed_alone() -> None:
    requests = [
        SpeechRequest(text, voice=voice, seed=i)
        for i, text in enumerate(["ab", "abc"])
        for voice in ("low", "top")
    ]
    for request, spoken in zip(requests, speak_together(tone(), requests), strict=True):
        np.testing.assert_array_equal(spoken.samples, render(request.text, request.voice, request.seed))


@pytest.mark.parametrize(
    "other",
    [
        SpeechRequest("Same words?", voice="low", seed=1),
        SpeechRequest("Same words!", voice="middle", seed=1),
        SpeechRequest("Same words!", voice="low", seed=2),
        SpeechRequest("Same words!", voice="low", seed=1, pitch=1.1),
    ],
)
def test_whatever_differs_in_the_request_is_heard(other: SpeechRequest) -> None:
    one = speak(tone(), SpeechRequest("Same words!", voice="low", seed=1))
    assert not np.array_equal(one.samples, speak(tone(), other).samples)


def test_a_frequency_gives_one_pure_steady_sine() -> None:
    samples = speak(tone(), SpeechRequest("x" * 50, options={"frequency": 1000})).samples
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * 24_000 / len(samples) == pytest.approx(1000, abs=0.5)
    assert np.abs(np.diff(samples)).max() < 0.25 * 2 * np.pi * 1000 / 24_000 * 1.01, "a jump: a click"


def test_duration_follows_text_and_speed() -> None:
    engine = tone(seconds_per_char=0.1)
    assert speak(engine, SpeechRequest("x" * 30)).seconds == pytest.approx(3.0)
    assert speak(engine, SpeechRequest("x" * 30, speed=1.5)).seconds == pytest.approx(2.0)


def test_a_step_takes_what_its_batch_costs() -> None:
    clock = VirtualClock()
    engine = tone(clock, step_seconds=1.0, utterance_seconds=0.25, rtf=0.5, chunk_seconds=0.2)
    batch = [engine.open(SpeechRequest("one two three")) for _ in range(4)]
    steps = engine.step(batch)
    assert clock() == pytest.approx(1.0 + 4 * 0.25 + 0.5 * 0.2)
    assert [len(step.samples) for step in steps] == [4800] * 4


def test_an_rtf_is_kept_over_a_whole_utterance() -> None:
    clock = VirtualClock()
    spoken = speak(tone(clock, rtf=0.5), SpeechRequest("x" * 200))
    assert clock() / spoken.seconds == pytest.approx(0.5, rel=0.02)


def test_the_first_sample_comes_when_it_is_due_and_delays_nobody() -> None:
    clock = VirtualClock()
    engine = tone(clock, first_audio_seconds=0.3)
    early = engine.open(SpeechRequest("x" * 30))
    while not len(engine.step([early])[0].samples):
        assert clock() < 0.3 + 1e-9
    assert clock() == pytest.approx(0.3)
    late = engine.open(SpeechRequest("x" * 30))
    one, other = engine.step([early, late])
    assert (len(one.samples) > 0, len(other.samples)) == (True, 0)
    assert clock() == pytest.approx(0.3), "a waiting utterance must not hold up the batch"


def test_a_poisoned_utterance_fails_and_its_neighbours_go_on() -> None:
    engine = tone()
    good = engine.open(SpeechRequest("good words"))
    bad = engine.open(SpeechRequest("bad words", options={"fail": True, "fail_after_seconds": 0.1}))
    first = engine.step([good, bad])
    assert [step.error for step in first] == [None, None]
    engine.step([good, bad])
    fine, failed = engine.step([good, bad])
    assert isinstance(failed.error, EngineError)
    assert fine.error is None
    assert len(fine.samples)


def test_the_engine_fails_after_as_many_steps_as_told() -> None:
    engine = tone(fail_after_steps=2)
    utterance = engine.open(SpeechRequest("x" * 100))
    engine.step([utterance])
    engine.step([utterance])
    for _ in range(2):
        with pytest.raises(EngineError, match="after 2 steps"):
            engine.step([utterance])


def test_the_engine_hangs_after_as_many_steps_as_told() -> None:
    clock = VirtualClock()
    engine = tone(clock, hang_after_steps=1)
    utterance = engine.open(SpeechRequest("x" * 100))
    engine.step([utterance])
    assert clock() == 0.0
    engine.step([utterance])
    assert clock() == HANG_SECONDS


@pytest.mark.server
def test_the_process_dies_after_as_many_steps_as_told() -> None:
    script = """
from ttsops.engines import EngineConfig, registry
from ttsops.speech import SpeechRequest
engine = registry.create("tone", EngineConfig(options={"crash_after_steps": 1}))
utterance = engine.open(SpeechRequest("x" * 100))
engine.step([utterance]); print("alive", flush=True); engine.step([utterance]); print("still alive")
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode) == ("alive\n", -9)


def test_loading_takes_its_time_and_may_fail() -> None:
    clock = VirtualClock()
    tone(clock, load_seconds=4.0)
    assert clock() == 4.0
    with pytest.raises(EngineUnavailable):
        tone(fail_to_load=True)


def test_an_unknown_voice_or_set_up_option_is_refused() -> None:
    with pytest.raises(UnknownVoice, match="soprano"):
        tone().open(SpeechRequest("x", voice="soprano"))
    with pytest.raises(ConfigError, match="has no option `speling`"):
        registry.create("tone", EngineConfig(options={"speling": 1}))


def test_a_word_is_begun_when_its_end_is_known() -> None:
    engine = tone(chunk_seconds=10.0)
    utterance = engine.open(SpeechRequest("He", is_text_complete=False))
    assert engine.step([utterance])[0].needs_text
    engine.append(utterance, "llo wor")
    step = engine.step([utterance])[0]
    assert len(step.samples) == 6 * 1440
    assert [(mark.text_start, mark.text_length) for mark in step.marks] == [(0, 5)]
    engine.end(utterance)
    last = engine.step([utterance])[0]
    assert last.is_done
    assert [(mark.text_start, mark.text_length) for mark in last.marks] == [(6, 3)]


def test_without_pieces_append_is_refused() -> None:
    engine = tone(takes_text_in_pieces=False)
    utterance = engine.open(SpeechRequest("x"))
    for call in (lambda: engine.append(utterance, "y"), lambda: engine.end(utterance)):
        with pytest.raises(EngineError, match="takes no text in pieces"):
            call()


def test_two_hundred_utterances_cost_a_fraction_of_real_time() -> None:
    engine = tone()
    batch = [engine.open(SpeechRequest("x" * 100, seed=i)) for i in range(200)]
    assert all(len(step.samples) == 1920 for step in engine.step(batch))
    assert replace(engine.card).max_batch >= 200
