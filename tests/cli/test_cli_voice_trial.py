"""`ttsops voice test`: what an engine says in a voice is judged, and what cannot be judged is not praised."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_cli_voice import CONSENT, WORDS, write_talk

from ttsops.audio import decode_audio

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]

F5 = """
engine = "f5"
[voices]
folder = "voices"
[engines.f5]
device = "cpu"
[engines.f5.options]
random_weights = "small"
threads = 1
"""


def test_words_of_a_speaking_engine_are_heard(ttsops: Ttsops) -> None:
    done = ttsops("voice", "test", "en-us+klatt4", "--engine", "espeak", "--json", "--out", "test.wav")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["wer"] <= 0.3
    assert "bus" in facts["heard"]
    assert (facts["problems"], facts["words_not_judged"]) == ([], "")
    samples, rate = decode_audio(Path("test.wav"))
    assert len(samples) / rate == pytest.approx(facts["seconds"], abs=0.01)


def test_a_sound_that_is_no_speech_fails(ttsops: Ttsops) -> None:
    done = ttsops("voice", "test", "middle", "--engine", "tone", "--text", "Come home.")
    assert done.code == 1, done.err
    assert "of the words are mistaken" in done.err


def test_another_language_is_not_judged_by_an_english_ear(ttsops: Ttsops) -> None:
    done = ttsops("voice", "test", "de", "--engine", "espeak", "--text", "Der erste Bus geht um sieben.")
    assert done.code == 0, done.err
    assert "words  not judged: the recogniser knows English, not `de`" in done.out


def test_noise_of_random_weights_is_not_called_speech(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text(F5)
    write_talk("alice.wav", 3.0)
    made = ttsops("voice", "import", "alice.wav", "--name", "en-Alice_woman", "--transcript", WORDS, *CONSENT)
    assert made.code == 0, made.err
    done = ttsops("voice", "test", "en-Alice_woman", "--text", "Hello there.")
    assert "words  not judged: random weights" in done.out
    assert "warning: random weights" in done.err
    assert "The voice speaks" not in done.err
    assert "engine f5, voice en-Alice_woman" in done.out


def test_a_voice_the_engine_does_not_have_is_wrong_usage(ttsops: Ttsops) -> None:
    done = ttsops("voice", "test", "en-Nobody_woman", "--engine", "espeak")
    assert (done.code, "has no voice" in done.err) == (2, True)
