"""Seams between pieces of audio that were not made in one go."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ttsops.errors import AudioError
from ttsops.speech import Samples


def crossfade(
    before: Samples, after: Samples, n_samples: int, shape: Literal["equal_power", "linear"] = "equal_power"
) -> Samples:
    """`before` fades into `after` over `n_samples`, or over all of the shorter one if it has fewer.

    equal_power: sine and cosine; loudness holds between pieces that differ (two sentences, two takes).
    linear: for two renderings of the same sound, whose sum would be up to 3 dB too loud otherwise.

    Gives len(before) + len(after) - n_samples samples.
    """
    if n_samples < 0:
        raise AudioError(f"a cross-fade of {n_samples} samples")
    n_faded = min(n_samples, len(before), len(after))
    if not n_faded:
        return np.concatenate([before, after])
    # Neither 0 nor 1 is reached: the samples beside the fade are those.
    rising = np.arange(1, n_faded + 1, dtype=np.float32) / np.float32(n_faded + 1)
    falling = 1 - rising
    if shape == "equal_power":
        rising, falling = np.sin(rising * (np.pi / 2)), np.sin(falling * (np.pi / 2))
    split = len(before) - n_faded
    faded = before[split:] * falling + after[:n_faded] * rising
    return np.concatenate([before[:split], faded, after[n_faded:]]).astype(np.float32, copy=False)
