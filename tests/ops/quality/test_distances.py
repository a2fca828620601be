"""Distances against figures that can be worked out by hand."""

import math

import numpy as np
import pytest

from ops.quality.conftest import sine
from ttsops.errors import AudioError
from ttsops.ops.quality.distances import FLOOR, HOP, N_FFT, N_MELS, compare, log_mel, mel_nmse
from ttsops.ops.quality.loudness import loudness
from ttsops.speech import SAMPLE_RATE, Samples

pytestmark = pytest.mark.unit


def noise(n_samples: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


def by_hand(samples: Samples, frame: int, mel_bin: int) -> float:
    """One value of the log-mel spectrogram, from the definitions: a DFT, and a triangle between HTK mels."""

    def hertz(corner: int) -> float:
        top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
        return float(700 * (10 ** (top * corner / (N_MELS + 1) / 2595) - 1))

    padded = np.pad(samples.astype(np.float64), N_FFT // 2, mode="reflect")
    piece = padded[frame * HOP : frame * HOP + N_FFT]
    n = np.arange(N_FFT)
    windowed = piece * np.sin(np.pi * n / N_FFT) ** 2
    low, middle, high = (hertz(mel_bin + i) for i in range(3))
    total = 0.0
    for k in range(N_FFT // 2 + 1):
        f = k * SAMPLE_RATE / N_FFT
        weight = max(0.0, min((f - low) / (middle - low), (high - f) / (high - middle)))
        if weight:
            total += weight * abs(np.sum(windowed * np.exp(-2j * np.pi * k * n / N_FFT)))
    return math.log(max(total, FLOOR))


@pytest.mark.parametrize(("frame", "mel_bin"), [(0, 5), (3, 0), (7, 42), (10, 99)])
def test_a_mel_value_is_what_its_definition_gives(frame: int, mel_bin: int) -> None:
    samples = noise(3_000)
    assert log_mel(samples)[frame, mel_bin] == pytest.approx(by_hand(samples, frame, mel_bin), abs=1e-9)


def test_a_spectrogram_has_93_75_frames_a_second_and_100_bins() -> None:
    assert log_mel(noise(SAMPLE_RATE)).shape == (SAMPLE_RATE // HOP + 1, 100)
    assert log_mel(noise(10)).shape == (1, 100)
    assert log_mel(np.zeros(5_000, np.float32)).max() == pytest.approx(math.log(FLOOR))


def test_the_same_sound_has_no_distance_and_the_mean_has_distance_1() -> None:
    mel = log_mel(noise(10_000))
    assert mel_nmse(mel, mel) == 0.0
    assert mel_nmse(np.full_like(mel, mel.mean()), mel) == pytest.approx(1.0)
    assert mel_nmse(mel, np.zeros_like(mel)) is None


def test_a_distance_does_not_depend_on_the_level_of_both() -> None:
    one, other = noise(20_000), sine(440, 20_000 / SAMPLE_RATE) + noise(20_000, 1)
    loud, soft = compare(one, other), compare(one / 8, other / 8)
    assert loud.nmse == pytest.approx(soft.nmse, rel=1e-5)
    assert loud.nmse is not None
    assert loud.nmse > 0.1


def test_more_noise_is_further_away() -> None:
    clean = sine(300) + sine(900) * 0.5 + noise(SAMPLE_RATE) * 0.01
    found = [compare(clean + noise(SAMPLE_RATE, 1) * level, clean).nmse for level in (0.01, 0.1, 1.0)]
    assert found == sorted(found)
    assert found[0] < found[2] / 4


def test_half_the_amplitude_is_six_decibels_softer() -> None:
    assert compare(noise(30_000) / 2, noise(30_000)).loudness_db == pytest.approx(-6.02, abs=0.01)
    assert compare(np.zeros(30_000, np.float32), noise(30_000)).loudness_db is None


def test_of_two_lengths_the_common_part_is_compared_and_that_is_said() -> None:
    whole = noise(SAMPLE_RATE)
    found = compare(whole[: SAMPLE_RATE // 2], whole)
    assert found.nmse == pytest.approx(0.0, abs=1e-9)
    assert (found.seconds, found.compared_seconds, found.is_same_length) == (-0.5, 0.5, False)
    assert compare(whole, whole).is_same_length
    with pytest.raises(AudioError):
        compare(whole[:0], whole)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_full_scale_tone_of_997_hertz_has_the_loudness_the_standard_says(rate: int) -> None:
    # ITU-R BS.1770: 0 dBFS in one front channel is -3.01 LKFS.
    assert loudness(sine(997, 5, 1.0, rate), rate) == pytest.approx(-3.01, abs=0.06)


def test_silence_around_speech_does_not_make_it_softer() -> None:
    tone = sine(997, 3)
    quiet = np.zeros(SAMPLE_RATE * 6, np.float32)
    assert loudness(np.concatenate([tone, quiet]), SAMPLE_RATE) == pytest.approx(
        loudness(tone, SAMPLE_RATE), abs=0.4
    )
    assert loudness(quiet, SAMPLE_RATE) == -math.inf
    assert loudness(quiet[:0], SAMPLE_RATE) == -math.inf


def test_deep_tones_count_less_and_high_ones_more() -> None:
    deep, middle, high = (loudness(sine(f, 2), SAMPLE_RATE) for f in (50, 997, 5_000))
    assert deep < middle - 3
    assert middle + 3 < high
