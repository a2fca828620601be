"""Speech made faster, slower, higher or lower without another model.

Tempo by WSOLA: frames are taken from where the speech goes on most like the frame before would have, and
overlapped (W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for
high quality time-scale modification of speech", ICASSP 1993). Pitch by tempo and resampling: formants move
along, and the voice becomes that of a smaller or larger person.
"""

from __future__ import annotations

import numpy as np

from ttsops.audio.resample import resample
from ttsops.errors import InvalidValue
from ttsops.speech import Samples

FRAME_SECONDS = 0.03
SEARCH_SECONDS = 0.01
"""How far from its own place, either way, a frame may be taken: one period of a low voice."""

FACTORS = (0.5, 2.0)
"""Least and most: beyond, what comes out is no speech."""


def change_tempo(samples: Samples, sample_rate: int, factor: float) -> Samples:
    """Samples [N] spoken `factor` times as fast: [about N / factor]. Raises `InvalidValue`."""
    _check(factor)
    half = max(1, round(FRAME_SECONDS * sample_rate / 2))
    reach = round(SEARCH_SECONDS * sample_rate)
    if factor == 1 or len(samples) < 4 * half:
        return samples.copy()
    n_made = round(len(samples) / factor)
    padded = np.pad(samples, (reach, 2 * reach + 4 * half)).astype(np.float64)
    window = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * half) / half)  # two of them, half apart, add up to 1
    n_frames = -(-n_made // half) + 1
    made = np.zeros((n_frames + 1) * half)
    place = reach
    for index in range(n_frames):
        if index:
            wanted = padded[place + half : place + 3 * half]
            around = min(round((index - 1) * half * factor) + round(half * factor), len(samples) - 1)
            start = max(0, around)
            candidates = padded[start : start + 2 * reach + 2 * half]
            place = start + _best(candidates, wanted)
        frame = padded[place : place + 2 * half]
        made[index * half : index * half + len(frame)] += frame * window[: len(frame)]
    made[:half] += padded[reach : reach + half] * window[half:]  # the first has no frame before it
    return made[:n_made].astype(np.float32)


def change_pitch(samples: Samples, sample_rate: int, factor: float) -> Samples:
    """Samples [N] at `factor` times the pitch, as long as before: [N]. Raises `InvalidValue`."""
    slowed = change_tempo(samples, sample_rate, 1 / factor) if factor else samples
    _check(factor)
    shifted = resample(slowed, round(sample_rate * factor), sample_rate)[: len(samples)]
    return np.pad(shifted, (0, len(samples) - len(shifted)))


def _best(candidates: np.ndarray, wanted: np.ndarray) -> int:
    """Where `wanted` [M] fits best into `candidates` [C]: the largest normalised correlation."""
    products = np.correlate(candidates, wanted, mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(np.square(candidates))])
    n = len(wanted)
    powers = energy[n:] - energy[:-n]
    return int(np.argmax(products / np.sqrt(powers + 1e-9)))


def _check(factor: float) -> None:
    low, high = FACTORS
    if not low <= factor <= high:
        raise InvalidValue(f"the factor is {factor:g}, must be {low:g} to {high:g}", param="factor")
