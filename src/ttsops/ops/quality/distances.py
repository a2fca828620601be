"""How far one rendering of a text is from another: spectrum, loudness, length. numpy only.

A distance is no verdict. Two good takes of one sentence differ, too; how much is seen by comparing two seeds.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from ttsops.errors import AudioError
from ttsops.ops.quality.loudness import loudness
from ttsops.speech import SAMPLE_RATE, Samples

N_FFT, HOP, N_MELS = 1024, 256, 100
"""Frames as the published 24 kHz vocoders have them: 42.7 ms long, 93.75 a second."""

FLOOR = 1e-5
"""Smallest magnitude of a mel bin before its logarithm; below it is silence."""

Mel = npt.NDArray[np.float64]


class Distance(msgspec.Struct, frozen=True):
    """One take against the reference take of the same text and seed."""

    nmse: float | None
    """Of the log-mel spectrograms over the common part; see `mel_nmse`. None if the reference is constant."""

    loudness_db: float | None
    """Loudness minus that of the reference, LU; None if one of them is silent."""

    seconds: float
    """Duration minus that of the reference."""

    compared_seconds: float
    """Length of the common part."""

    is_same_length: bool
    """False: frames beyond the shorter one were left out, and what is said may be shifted."""


def compare(samples: Samples, reference: Samples) -> Distance:
    """Samples [N] against [M] at 24 kHz, both from their first sample on. Raises `AudioError` for none."""
    if not len(samples) or not len(reference):
        raise AudioError("there are no samples to compare")
    n_common = min(len(samples), len(reference))
    levels = loudness(samples, SAMPLE_RATE), loudness(reference, SAMPLE_RATE)
    return Distance(
        nmse=mel_nmse(log_mel(samples[:n_common]), log_mel(reference[:n_common])),
        loudness_db=levels[0] - levels[1] if all(map(math.isfinite, levels)) else None,
        seconds=(len(samples) - len(reference)) / SAMPLE_RATE,
        compared_seconds=n_common / SAMPLE_RATE,
        is_same_length=len(samples) == len(reference),
    )


def mel_nmse(mel: Mel, reference: Mel) -> float | None:
    """Squared error over the variance of the reference, both [T, 100].

    0 for the same spectrogram, 1 for one that is no nearer than the reference's own mean. The variance, not
    the energy: a logarithm's zero is arbitrary, and dividing by its square would make the figure depend on
    the level. None if the reference does not vary.
    """
    variance = float(np.square(reference - reference.mean()).sum())
    return float(np.square(mel - reference).sum()) / variance if variance else None


def log_mel(samples: Samples) -> Mel:
    """Natural logarithm of the mel spectrogram [T, 100] of samples [N] at 24 kHz; T = N // 256 + 1.

    Magnitudes of a centred Hann window, reflected at both ends, in HTK's mel bins without area
    normalisation. Raises `AudioError` if there are no samples.
    """
    if not len(samples):
        raise AudioError("there are no samples")
    # What is shorter than half a frame cannot be reflected.
    mode = "reflect" if len(samples) > N_FFT // 2 else "constant"
    padded = np.pad(samples.astype(np.float64), N_FFT // 2, mode=mode)  # type: ignore[call-overload]
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    magnitudes = np.abs(np.fft.rfft(frames * window, axis=1))
    return np.asarray(np.log(np.maximum(magnitudes @ _filters(), FLOOR)))


@lru_cache(maxsize=1)
def _filters() -> Mel:
    """Triangles [513, 100], equally spaced in HTK's mel from 0 Hz to half the sample rate."""
    corners_mel = np.linspace(0.0, _mel(SAMPLE_RATE / 2), N_MELS + 2)
    corners = 700 * (10 ** (corners_mel / 2595) - 1)
    slopes = corners[None, :] - np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)[:, None]
    widths = np.diff(corners)
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)
