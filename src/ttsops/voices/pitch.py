"""The pitch of a voice: autocorrelation of frames, as the median of those that have one.

Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound" (1993): the autocorrelation of a windowed frame is divided by that of its window.
"""

from __future__ import annotations

import numpy as np

from ttsops.speech import Samples

LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
WINDOW_SECONDS, HOP_SECONDS = 0.05, 0.02
LEAST_STRENGTH = 0.5
"""Of a frame that has a pitch: the autocorrelation at its period; 1 is a wave that repeats exactly."""

OCTAVE_COST = 0.05
"""What a period is charged for each octave it is longer than the shortest: twice a period fits as well."""

QUIET_DB = 30.0
"""Frames so far below the loudest are not asked."""


def median_pitch(samples: Samples, sample_rate: int) -> float | None:
    """Hertz, of samples [N]; None if nothing in it has a pitch."""
    window = round(WINDOW_SECONDS * sample_rate)
    if len(samples) < window:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[:: round(HOP_SECONDS * sample_rate)]
    energy = np.mean(np.square(frames, dtype=np.float64), axis=1)
    loud = frames[energy > energy.max() * 10 ** (-QUIET_DB / 10)]
    if not len(loud):
        return None
    shape = np.hanning(window)
    n_fft = 2 ** int(np.ceil(np.log2(2 * window)))
    centred = (loud - loud.mean(axis=1, keepdims=True)) * shape
    correlation = np.fft.irfft(np.square(np.abs(np.fft.rfft(centred, n_fft, axis=1))), axis=1)
    own = np.fft.irfft(np.square(np.abs(np.fft.rfft(shape, n_fft))))
    low, high = int(sample_rate / HIGHEST_HZ), int(sample_rate / LOWEST_HZ)
    lags = np.arange(low, high + 1)
    whole = np.maximum(correlation[:, :1], np.finfo(np.float64).tiny)
    strengths = correlation[:, lags] / whole / (own[lags] / own[0])
    best = np.argmax(strengths - OCTAVE_COST * np.log2(lags / low), axis=1)
    rows = np.arange(len(best))
    is_voiced = strengths[rows, best] >= LEAST_STRENGTH
    if not is_voiced.any():
        return None
    return float(np.median(sample_rate / lags[best[is_voiced]]))
