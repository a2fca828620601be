"""Short-time spectra and levels of a recording. Pure numpy.

Legend: N samples, T frames, F frequencies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ttsops.speech import Samples

Powers = npt.NDArray[np.float64]

FLOOR_DBFS = -120.0
"""What digital silence is said to be: below every real level, and still a number."""


def power_spectra(samples: Samples, window: int, hop: int) -> Powers:
    """Of samples [N] under a Hann window: [T, F], F = window // 2 + 1; 1 is a full-scale sine.

    No frame if there are fewer samples than a window.
    """
    if len(samples) < window:
        return np.zeros((0, window // 2 + 1))
    shape = np.hanning(window)
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    spectra = np.fft.rfft(frames * shape, axis=1) * (2 / shape.sum())
    return np.asarray(np.square(np.abs(spectra)))


def frame_levels(samples: Samples, window: int, hop: int) -> Powers:
    """RMS of each frame in dBFS [T], not below `FLOOR_DBFS`; one frame if there are fewer samples."""
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - window + 1, hop)
    return to_db(np.maximum(0.0, energy[starts + window] - energy[starts]) / window)


def to_db(powers: npt.ArrayLike) -> Powers:
    """Powers as dB, not below `FLOOR_DBFS`."""
    return np.asarray(10 * np.log10(np.maximum(powers, 10 ** (FLOOR_DBFS / 10))))


def from_db(levels: npt.ArrayLike) -> Powers:
    """Powers of levels in dB."""
    return np.asarray(10 ** (np.asarray(levels, np.float64) / 10))
