"""Speech at another tempo or pitch: as long, as high and as loud as was asked, and without clicks."""

import numpy as np
import pytest

from ttsops.audio.stretch import change_pitch, change_tempo
from ttsops.errors import InvalidValue
from ttsops.speech import Samples

pytestmark = pytest.mark.unit

RATE = 24_000
FACTORS = [0.5, 0.8, 0.95, 1.05, 1.25, 2.0]


def vowel(seconds: float = 1.5, pitch: float = 150.0) -> Samples:
    times = np.arange(int(seconds * RATE)) / RATE
    wave = np.sum([np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 12)], axis=0)
    return (0.2 * wave).astype(np.float32)


def pitch_of(samples: Samples) -> float:
    """The lowest strong line of its spectrum."""
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    levels = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 2**18))
    return float(np.flatnonzero(levels > 0.5 * levels.max())[0] * RATE / 2**18)


def rms(samples: Samples) -> float:
    middle = samples[2_000:-2_000]
    return float(np.sqrt(np.mean(np.square(middle))))


@pytest.mark.parametrize("factor", FACTORS)
def test_another_tempo_changes_the_length_and_not_the_pitch(factor: float) -> None:
    made = change_tempo(vowel(), RATE, factor)
    assert len(made) == pytest.approx(len(vowel()) / factor, abs=1)
    assert pitch_of(made) == pytest.approx(pitch_of(vowel()), rel=0.02)
    assert rms(made) == pytest.approx(rms(vowel()), rel=0.05)


@pytest.mark.parametrize("factor", FACTORS)
def test_another_pitch_changes_the_pitch_and_not_the_length(factor: float) -> None:
    made = change_pitch(vowel(), RATE, factor)
    assert len(made) == len(vowel())
    assert pitch_of(made) == pytest.approx(factor * 150, rel=0.02)
    assert rms(made) == pytest.approx(rms(vowel()), rel=0.1)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_no_seam_clicks(factor: float) -> None:
    """A step between samples that the vowel itself does not have would be one."""
    steepest = np.abs(np.diff(vowel())).max()
    assert np.abs(np.diff(change_tempo(vowel(), RATE, factor))).max() < 1.3 * steepest


def test_words_stay_in_their_order_and_place() -> None:
    quiet = np.zeros(RATE // 2, np.float32)
    made = change_tempo(np.concatenate([vowel(0.5, 120), quiet, vowel(0.5, 240), quiet]), RATE, 0.8)
    loud = np.abs(made) > 0.05
    assert loud[: int(0.6 * RATE)].mean() > 0.3
    assert loud[int(0.70 * RATE) : int(1.2 * RATE)].mean() < 0.02
    assert pitch_of(made[: int(0.62 * RATE)]) == pytest.approx(120, rel=0.03)
    assert pitch_of(made[int(1.26 * RATE) : int(1.85 * RATE)]) == pytest.approx(240, rel=0.03)


def test_factor_one_is_a_copy() -> None:
    made = change_tempo(vowel(), RATE, 1.0)
    np.testing.assert_array_equal(made, vowel())
    assert made is not vowel()


@pytest.mark.parametrize("n_samples", [0, 1, 100, 1500, 5000])
def test_very_short_sounds_pass(n_samples: int) -> None:
    short = vowel()[:n_samples]
    for made in (change_tempo(short, RATE, 1.3), change_pitch(short, RATE, 1.3)):
        assert np.isfinite(made).all()


@pytest.mark.parametrize("factor", [0.0, -1.0, 0.49, 2.1, float("nan"), float("inf")])
def test_a_factor_beyond_is_refused(factor: float) -> None:
    for change in (change_tempo, change_pitch):
        with pytest.raises(InvalidValue, match=r"must be 0\.5 to 2"):
            change(vowel(), RATE, factor)
