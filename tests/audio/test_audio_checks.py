import math

import numpy as np
import pytest
from hearing import RATE, speechlike
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ttsops.audio.checks import (
    check_audio,
    from_dbfs,
    longest_gap,
    normalise_peak,
    require_finite,
    to_dbfs,
)
from ttsops.errors import AudioError, BadAudio

pytestmark = pytest.mark.unit

SPEECH = speechlike(RATE)


def test_speech_has_no_problems() -> None:
    report = check_audio(SPEECH, RATE)
    assert report.problems == ()
    assert report.is_finite
    assert report.seconds == 1.0
    assert report.n_samples == RATE
    assert -12 < report.peak_dbfs < 0
    assert report.rms_dbfs < report.peak_dbfs
    assert abs(report.dc_offset) < 0.01
    assert report.silent_share == 0.0


def test_levels_of_a_full_scale_square_wave_are_zero() -> None:
    square = np.tile(np.array([1, -1], np.float32), 1000)
    report = check_audio(square, RATE)
    assert report.peak_dbfs == report.rms_dbfs == report.dc_offset == 0.0
    assert report.n_clipped == 2000
    assert "2000 samples are clipped" in report.problems


def test_samples_that_are_not_finite_are_counted_and_left_out() -> None:
    broken = SPEECH.copy()
    broken[[3, 5]] = np.nan, -np.inf
    report = check_audio(broken, RATE)
    assert report.n_not_finite == 2
    assert not report.is_finite
    assert math.isfinite(report.peak_dbfs)
    assert "2 samples are not finite" in report.problems


def test_require_finite_says_how_many_are_not() -> None:
    require_finite(SPEECH)
    with pytest.raises(BadAudio, match="1 of 2"):
        require_finite(np.array([np.nan, 0], np.float32))


def test_silence_is_reported_as_such() -> None:
    report = check_audio(np.zeros(RATE, np.float32), RATE)
    assert report.peak_dbfs == report.rms_dbfs == -math.inf
    assert report.silent_share == 1.0
    assert report.leading_silence_seconds == report.trailing_silence_seconds == 1.0
    assert report.problems == ("there is only silence",)


def test_silence_before_and_after_is_measured() -> None:
    padded = np.concatenate([np.zeros(2400, np.float32), SPEECH, np.zeros(4800, np.float32)])
    report = check_audio(padded, RATE)
    assert report.leading_silence_seconds == pytest.approx(0.1, abs=0.011)
    assert report.trailing_silence_seconds == pytest.approx(0.2, abs=0.011)
    assert report.silent_share == pytest.approx(0.3 / 1.3, abs=0.02)


def test_an_offset_is_a_problem() -> None:
    report = check_audio(SPEECH * np.float32(0.5) + np.float32(0.1), RATE)
    assert report.dc_offset == pytest.approx(0.1, abs=0.01)
    assert "the mean is +0.1" in report.problems[0]


@given(st.integers(2000, 20_000), st.integers(130, 2000))
def test_a_hole_cut_into_speech_is_found_with_its_length(start: int, n_lost: int) -> None:
    broken = SPEECH.copy()
    broken[start : start + n_lost] = 0
    edges = np.abs(SPEECH[start - 24 : start]).max(), np.abs(SPEECH[start + n_lost :][:24]).max()
    expected = n_lost if min(edges) > from_dbfs(-40) else 0
    assert abs(longest_gap(broken, RATE) - expected) <= 1, "a neighbour may be zero by chance"


def test_a_pause_that_sound_fades_into_is_no_hole() -> None:
    """Formant synthesis is exactly zero between words."""
    fade = np.linspace(1, 0, 1200, dtype=np.float32)
    word = SPEECH[:4800].copy()
    word[-1200:] *= fade
    phrase = np.concatenate([word, np.zeros(2400, np.float32), word])
    assert check_audio(phrase, RATE).problems == ()


def test_a_hole_is_a_problem() -> None:
    broken = SPEECH.copy()
    broken[12_000:12_480] = 0
    assert check_audio(broken, RATE).problems == ("20 ms of speech are missing",)


@given(
    hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(-3, 3, width=32)),
    st.floats(-20, 0),
)
def test_normalised_peak_is_where_it_was_asked_for(samples: np.ndarray, dbfs: float) -> None:
    result = normalise_peak(samples, dbfs)
    assert result.dtype == np.float32
    if np.abs(samples).max() > 1e-30:
        assert to_dbfs(float(np.abs(result).max())) == pytest.approx(dbfs, abs=1e-4)


def test_normalising_defaults_to_minus_one_and_copies() -> None:
    assert np.abs(normalise_peak(SPEECH)).max() == pytest.approx(0.8913, abs=1e-4)
    silence = np.zeros(4, np.float32)
    result = normalise_peak(silence)
    assert result is not silence
    assert not result.any()
    assert len(normalise_peak(np.zeros(0, np.float32))) == 0
    with pytest.raises(BadAudio):
        normalise_peak(np.array([np.inf], np.float32))


def test_nothing_cannot_be_checked() -> None:
    with pytest.raises(AudioError, match="no samples"):
        check_audio(np.zeros(0, np.float32), RATE)
