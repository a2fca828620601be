import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ttsops.audio.pcm import clip, float_to_s16, s16_to_float, to_s16
from ttsops.errors import AudioError, BadAudio

pytestmark = pytest.mark.unit

floats = hnp.arrays(np.float32, st.integers(0, 300), elements=st.floats(-4, 4, width=32))


def test_every_16_bit_sample_survives_the_way_to_float_and_back() -> None:
    every = np.arange(-32768, 32768).astype("<i2").tobytes()
    assert float_to_s16(s16_to_float(every)) == every


@given(floats)
def test_float_to_s16_is_off_by_half_a_step_at_most(samples: np.ndarray) -> None:
    held = np.clip(samples, -1, 32767 / 32768)
    assert np.abs(s16_to_float(float_to_s16(samples)) - held).max(initial=0) <= 0.5 / 32768


@given(floats, st.integers(0, 300))
def test_pieces_give_the_same_bytes_as_the_whole(samples: np.ndarray, cut: int) -> None:
    assert float_to_s16(samples[:cut]) + float_to_s16(samples[cut:]) == float_to_s16(samples)


def test_too_loud_is_clipped_and_never_wraps() -> None:
    assert to_s16(np.array([1.0, 1.5, -1.0, -7.0], np.float32)).tolist() == [32767, 32767, -32768, -32768]
    assert clip(np.array([1.5, -7.0, 0.25], np.float32)).tolist() == [1.0, -1.0, 0.25]


def test_conversion_leaves_its_input_as_it_was() -> None:
    samples = np.array([0.1, 2.0], np.float32)
    to_s16(samples)
    clip(samples)
    assert samples.tolist() == [np.float32(0.1), 2.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_has_no_integer(bad: float) -> None:
    samples = np.array([0.0, bad, 0.0], np.float32)
    for convert in (float_to_s16, clip):
        with pytest.raises(BadAudio, match="1 of 3 samples"):
            convert(samples)


def test_bytes_are_little_endian_on_every_machine() -> None:
    assert float_to_s16(np.array([1 / 32768], np.float32)) == b"\x01\x00"


def test_half_a_sample_is_an_error_and_not_noise() -> None:
    with pytest.raises(AudioError, match="3 bytes"):
        s16_to_float(b"\0\0\0")
