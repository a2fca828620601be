"""The meter for what a predictor does not hear: on clean speech it is silent, of cuts it finds most."""

import numpy as np
import pytest

from ops.quality.conftest import sine
from ttsops.audio import Format, create_encoder, decode_audio
from ttsops.errors import AudioError
from ttsops.ops.quality.gaps import find_dropouts, measure_sound
from ttsops.speech import SAMPLE_RATE, Samples

pytestmark = pytest.mark.server

Speech = tuple[Samples, ...]


def cut(samples: Samples, start: int, milliseconds: float) -> Samples:
    holed = samples.copy()
    holed[start : start + round(milliseconds * SAMPLE_RATE / 1000)] = 0
    return holed


def loud_places(samples: Samples, n: int, seed: int = 0) -> list[int]:
    """Where speech is loud, away from both ends."""
    loud = np.flatnonzero(np.abs(samples) > 0.2 * np.abs(samples).max())
    inner = loud[(loud > 2_400) & (loud < len(samples) - 4_800)]
    return [int(one) for one in np.random.default_rng(seed).choice(inner, n)]


def test_clean_speech_has_no_dropout(speech: Speech) -> None:
    for samples in speech:
        report = measure_sound(samples, SAMPLE_RATE)
        assert (report.dropouts, report.problems) == (0, ())


def test_most_cuts_are_found_where_they_are(speech: Speech) -> None:
    n_found = n_cuts = 0
    for number, samples in enumerate(speech):
        for start in loud_places(samples, 12, number):
            found = find_dropouts(cut(samples, start, 20), SAMPLE_RATE)
            n_found += any(abs(one.start - start) < 48 for one in found)
            n_cuts += 1
    assert n_found / n_cuts >= 0.75, f"{n_found} of {n_cuts}"


def test_a_dithered_cut_is_found_too() -> None:
    tone = sine(220, 1.0)
    holed = cut(tone, 10_030, 30)
    holed += np.random.default_rng(0).uniform(-1, 1, len(tone)).astype(np.float32) / 32768
    assert [one.start for one in find_dropouts(holed, SAMPLE_RATE)] == [10_030]


def test_every_dropout_is_counted_and_placed() -> None:
    tone = sine(220, 2.0)
    holed = cut(cut(tone, 10_030, 30), 30_040, 12)
    report = measure_sound(holed, SAMPLE_RATE)
    assert report.dropouts == 2
    assert report.dropout_seconds == pytest.approx(0.042, abs=0.001)
    assert report.dropouts_at == pytest.approx((10_030 / SAMPLE_RATE, 30_040 / SAMPLE_RATE), abs=0.001)
    assert report.problems == ("2 dropouts, 42 ms in all, the first at 0.42 s",)


def test_a_pause_is_no_dropout() -> None:
    fade = np.linspace(1, 0, 480, dtype=np.float32)
    tone = sine(220, 0.5)
    tone[-480:] *= fade
    tone[:480] *= fade[::-1]
    report = measure_sound(np.concatenate([tone, np.zeros(7_200, np.float32), tone]), SAMPLE_RATE)
    assert (report.dropouts, report.pauses) == (0, 1)
    assert report.longest_pause_seconds == pytest.approx(0.3, abs=0.01)


def test_silence_at_the_ends_is_neither() -> None:
    quiet = np.zeros(12_000, np.float32)
    report = measure_sound(np.concatenate([quiet, sine(220), quiet]), SAMPLE_RATE)
    assert (report.dropouts, report.pauses) == (0, 0)
    assert report.leading_silence_seconds == pytest.approx(0.5, abs=0.011)
    assert report.trailing_silence_seconds == pytest.approx(0.5, abs=0.011)


def test_clipping_an_offset_and_silence_are_told() -> None:
    clipped = measure_sound(np.clip(sine(220, 1.0, 3.0), -1, 1), SAMPLE_RATE)
    assert clipped.clipped_samples > 1_000
    assert any("clipped" in one for one in clipped.problems)
    shifted = measure_sound(sine(220) + np.float32(0.1), SAMPLE_RATE)
    assert shifted.dc_offset == pytest.approx(0.1, abs=0.001)
    assert any("mean" in one for one in shifted.problems)
    silent = measure_sound(np.zeros(9_000, np.float32), SAMPLE_RATE)
    assert (silent.peak_dbfs, silent.problems) == (None, ("there is only silence",))
    with pytest.raises(AudioError):
        measure_sound(np.zeros(0, np.float32), SAMPLE_RATE)


def test_what_went_through_a_lossy_codec_raises_no_false_alarm(speech: Speech) -> None:
    encoder = create_encoder(Format.MP3)
    samples, rate = decode_audio(encoder.encode(speech[1]) + encoder.finish())
    assert measure_sound(samples, rate).dropouts == 0
