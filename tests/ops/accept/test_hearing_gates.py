"""Speech that is late, slow, short, silent, clipped, off centre or not these words does not pass."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable

import numpy as np
import pytest

from server.server_site import tone_settings
from ttsops.ops.accept import hearing
from ttsops.ops.accept.client import Client
from ttsops.ops.accept.gate import Failed, Skipped
from ttsops.ops.accept.hearing import TEXTS, Said, check_sound, check_synthesis, check_words, say_all
from ttsops.ops.quality import extra
from ttsops.settings import AcceptSettings, EngineSettings, Settings
from ttsops.speech import OptionValue

pytestmark = pytest.mark.server

LIMITS = AcceptSettings()
Serve = Callable[[Settings], Client]


def said(serve: Serve, n: int = 1, **options: OptionValue) -> list[Said]:
    return say_all(serve(tone_settings(max_streams=1, **options)), TEXTS[:n])


def test_the_test_signal_passes_as_it_is(serve: Serve) -> None:
    heard = said(serve, 2)
    found = check_synthesis(heard, LIMITS)
    assert found.figures["audio_seconds"] == pytest.approx(0.06 * sum(map(len, TEXTS[:2])), abs=0.1)
    assert found.figures["chunks"] >= 2
    assert 0 < found.figures["first_chunk_seconds"] < 2
    assert check_sound(heard, LIMITS).figures["peak"] == pytest.approx(0.25, abs=0.01)


def test_slow_speech_fails_by_its_rtf(serve: Serve) -> None:
    with pytest.raises(Failed, match=r"RTF 1\.\d+ is not between 0 and 1$"):
        check_synthesis(said(serve, rtf=1.2, seconds_per_char=0.045), LIMITS)


def test_speech_faster_than_is_believed_fails(serve: Serve) -> None:
    with pytest.raises(Failed, match="RTF"):
        check_synthesis(said(serve), AcceptSettings(min_rtf=0.5))


def test_a_late_first_chunk_fails(serve: Serve) -> None:
    with pytest.raises(Failed, match=r"the first chunk comes after 0\.[56]\d s, accepted are 0\.3 s"):
        check_synthesis(said(serve, first_audio_seconds=0.5), AcceptSettings(max_first_chunk_seconds=0.3))


def test_speech_that_ends_early_fails_and_says_which_text(serve: Serve) -> None:
    heard = said(serve, seconds_per_char=0.03)
    with pytest.raises(Failed, match=r"The old man .* has 1\.74 s, 66% of its target of 2\.64 s"):
        check_synthesis(heard, LIMITS)
    assert "not judged: random weights" in check_synthesis(heard, LIMITS, has_words=False).detail


def test_an_engine_that_fails_fails(serve: Serve) -> None:
    with pytest.raises(Failed, match="engine_failed: engine `tone` was set up to fail after 1 steps"):
        check_synthesis(said(serve, fail_after_steps=1, first_audio_seconds=0.1), LIMITS)


def test_speech_that_breaks_off_fails(serve: Serve) -> None:
    with pytest.raises(Failed, match=r"it breaks off after \d+ bytes"):
        check_synthesis(said(serve, fail_after_steps=9, rtf=0.1), LIMITS)


def test_an_answer_without_audio_fails(serve: Serve) -> None:
    (one,) = said(serve)
    empty = Said(one.text, dataclasses.replace(one.spoken, wav=one.spoken.wav[:44], chunks=0))
    with pytest.raises(Failed, match="an answer without audio"):
        check_synthesis([empty], LIMITS)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"gain": 20.0}, "samples are clipped"),
        ({"gain": 0.0}, "only silence"),
        ({"offset": 0.012}, r"its mean is \+0\.012"),
    ],
)
def test_sound_that_hurts_fails(serve: Serve, options: dict[str, OptionValue], problem: str) -> None:
    with pytest.raises(Failed, match=problem):
        check_sound(said(serve, **options), LIMITS)


def test_the_mean_of_noise_is_not_judged(serve: Serve) -> None:
    heard = said(serve, offset=0.2)
    assert "DC is not judged: random weights" in check_sound(heard, LIMITS, has_words=False).detail


def test_a_hole_in_the_rate_and_no_wav_at_all_fail(serve: Serve) -> None:
    (one,) = said(serve)
    wav = bytearray(one.spoken.wav)
    struct.pack_into("<I", wav, 24, 16_000)
    with pytest.raises(Failed, match="its rate is 16000 Hz, not 24000"):
        check_sound([Said(one.text, dataclasses.replace(one.spoken, wav=bytes(wav)))], LIMITS)
    with pytest.raises(Failed, match="no WAV file"):
        hearing.rate_of(b"ID3" + bytes(100))


def test_files_that_are_not_brought_to_their_level_fail(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ttsops.audio import speech_files

    monkeypatch.setattr(speech_files, "normalise_peak", lambda samples, dbfs: samples)
    with pytest.raises(Failed, match=r"its file has its peak at -12\.04 dBFS, not at -1"):
        check_sound(said(serve), LIMITS)


def test_espeak_is_understood_and_another_text_is_not(serve: Serve) -> None:
    heard = say_all(serve(Settings(engine="espeak", engines={"espeak": EngineSettings()})), TEXTS[:2])
    assert check_words(heard, LIMITS, language="en-US", note="").figures["wer"] < 0.35
    mixed = [Said(TEXTS[number - 1], one.spoken) for number, one in enumerate(heard)]
    with pytest.raises(Failed, match="of the words are mistaken"):
        check_words(mixed, LIMITS, language="en-US", note="")


def test_an_ear_that_hears_every_sentence_fails(serve: Serve) -> None:
    heard = say_all(serve(Settings(engine="espeak", engines={"espeak": EngineSettings()})), TEXTS[:1])
    with pytest.raises(Failed, match="of other sentences, too"):
        check_words(heard * 2, LIMITS, language="en", note="")


def test_words_are_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Skipped, match="random weights"):
        check_words([], LIMITS, language="en", note="random weights of a small model")
    with pytest.raises(Skipped, match="speaks de"):
        check_words([], LIMITS, language="de", note="")
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    with pytest.raises(Skipped, match="pocketsphinx"):
        check_words([], LIMITS, language="en", note="")


def test_no_sample_is_made_up() -> None:
    assert Said("a", hearing.Spoken(bytes(44 + 48_000), 1, 0.1, 0.2)).audio_seconds == 1.0
    assert np.isfinite(Said("a", hearing.Spoken(b"", 0, 0.1, 0.2)).audio_seconds)
