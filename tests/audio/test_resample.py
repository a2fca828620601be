import numpy as np
import pytest
from hearing import speechlike
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsops.audio.resample import StreamResampler, resample, resampled_length
from ttsops.errors import AudioError

pytestmark = pytest.mark.unit

rates = st.sampled_from([8000, 16_000, 22_050, 24_000, 44_100, 48_000])
SOUND = speechlike(20_000)


def resample_pieces(samples: np.ndarray, source: int, target: int, sizes: list[int]) -> np.ndarray:
    stream, pieces, start, turn = StreamResampler(source, target), [], 0, 0
    while start < len(samples):
        size = sizes[turn % len(sizes)]
        pieces.append(stream.process(samples[start : start + size]))
        start, turn = start + size, turn + 1
    return np.concatenate([*pieces, stream.finish()])


@given(st.integers(0, 20_000), rates, rates, st.lists(st.integers(1, 3000), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_pieces_give_exactly_the_samples_of_the_whole(
    n_samples: int, source: int, target: int, sizes: list[int]
) -> None:
    samples = SOUND[:n_samples]
    whole = resample(samples, source, target)
    np.testing.assert_array_equal(resample_pieces(samples, source, target, sizes), whole)
    assert len(whole) == resampled_length(n_samples, source, target)
    assert whole.dtype == np.float32


@given(st.integers(0, 10**12), rates, rates)
def test_length_is_the_nearest_whole_number(n_samples: int, source: int, target: int) -> None:
    twice_off = 2 * (resampled_length(n_samples, source, target) * source - n_samples * target)
    assert -source < twice_off <= source


def test_equal_rates_pass_the_same_array_through() -> None:
    stream = StreamResampler(24_000, 24_000)
    assert stream.process(SOUND) is SOUND
    assert len(stream.finish()) == 0
    assert resample(SOUND, 24_000, 24_000) is SOUND


@pytest.mark.parametrize(("source", "target"), [(22_050, 24_000), (48_000, 24_000), (16_000, 24_000)])
def test_a_tone_stays_where_it_was_in_pitch_level_and_time(source: int, target: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(source) / source).astype(np.float32)
    expected = np.sin(2 * np.pi * 1000 * np.arange(target) / target)
    middle = slice(target // 10, -target // 10)
    assert np.abs(resample(tone, source, target) - expected)[middle].max() < 1e-4


def test_what_the_target_cannot_carry_is_gone_and_not_mirrored() -> None:
    hiss = np.sin(2 * np.pi * 20_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(resample(hiss, 48_000, 24_000)[2400:-2400]).max() < 1e-3


def test_half_a_second_in_gives_most_of_it_out() -> None:
    """A stream must not wait for its end."""
    given_out = StreamResampler(22_050, 24_000).process(SOUND[:11_025])
    assert len(given_out) > 12_000 - 0.06 * 24_000


def test_a_resampler_ends_once() -> None:
    for source in (22_050, 24_000):
        stream = StreamResampler(source, 24_000)
        stream.process(np.zeros(0, np.float32))
        stream.finish()
        with pytest.raises(AudioError, match="has ended"):
            stream.process(SOUND)
        with pytest.raises(AudioError, match="has ended"):
            stream.finish()


def test_rates_are_positive() -> None:
    with pytest.raises(AudioError, match="0 Hz"):
        StreamResampler(0, 24_000)
