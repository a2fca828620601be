"""The windowed sinc gives what torchaudio's gave, and never needs more memory than a block."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from ttsops.audio.sinc import sinc_resample
from ttsops.errors import AudioError

pytestmark = pytest.mark.unit

RECORDED = load_file(Path(__file__).parents[1] / "golden" / "f5" / "resample" / "resample.safetensors")


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_it_equals_the_recording(rate: int) -> None:
    made = sinc_resample(RECORDED[f"in_{rate}"][0], rate, 24_000)
    expected = RECORDED[f"out_{rate}"][0]
    assert made.dtype == np.float32
    assert made.shape == expected.shape
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-5)


def test_equal_rates_pass_untouched() -> None:
    samples = np.ones(7, np.float32)
    assert sinc_resample(samples, 24_000, 24_000) is samples


@pytest.mark.parametrize("rate", [44_101, 23_999, 191_999])
def test_an_odd_rate_keeps_a_tone_and_its_length(rate: int) -> None:
    """A table of every phase would have gigabytes here."""
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    made = sinc_resample(tone, rate, 24_000)
    assert len(made) == 24_000
    expected = np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)
    np.testing.assert_allclose(made[500:-500], expected[500:-500], atol=2e-3)


def test_nothing_stays_nothing() -> None:
    assert len(sinc_resample(np.zeros(0, np.float32), 16_000, 24_000)) == 0


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(AudioError, match="0 Hz"):
        sinc_resample(np.zeros(4, np.float32), 0, 24_000)
