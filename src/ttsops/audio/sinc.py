"""Sample rates changed by a windowed sinc: the filter that F5-TTS' references were resampled with.

It is the default of torchaudio's `Resample` (Hann window, six zero crossings, roll-off 0.99;
https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.Resample.html). A voice's reference goes
into the model, so it is made as in training; speech that comes out goes through soxr, see `resample`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ttsops.errors import AudioError
from ttsops.speech import Samples

N_ZERO_CROSSINGS = 6
ROLL_OFF = 0.99
_BLOCK = 16_384
"""Samples made at a time: bounds memory."""


def sinc_resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Samples [N] at another rate: [ceil(N·to/from)]; the same array if the rates are equal.

    Raises `AudioError` for a rate that is none.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise AudioError(f"cannot resample from {from_rate} Hz to {to_rate} Hz")
    if from_rate == to_rate:
        return samples
    divisor = math.gcd(from_rate, to_rate)
    step, whole = from_rate // divisor, to_rate // divisor
    cutoff = min(step, whole) * ROLL_OFF
    reach = math.ceil(N_ZERO_CROSSINGS * step / cutoff)
    taps = np.arange(-reach, reach + 2)
    padded = np.pad(samples, (reach, reach + 2))
    n_made = -(-len(samples) * whole // step)
    blocks = [np.zeros(0, np.float32)]
    for start in range(0, n_made, _BLOCK):
        places = np.arange(start, min(start + _BLOCK, n_made), dtype=np.int64) * step
        nearest = places // whole
        distances = (taps[None] * whole - (places - nearest * whole)[:, None]) / (whole * step)
        kernel = _kernel(distances * cutoff) * (cutoff / step)
        blocks.append(
            np.einsum("nk,nk->n", padded[nearest[:, None] + taps + reach], kernel.astype(np.float32))
        )
    return np.concatenate(blocks)


def _kernel(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sinc under a Hann window; `times` in zero crossings."""
    inside = np.clip(times, -N_ZERO_CROSSINGS, N_ZERO_CROSSINGS)
    window = np.cos(inside * (np.pi / N_ZERO_CROSSINGS / 2)) ** 2
    kernel: npt.NDArray[np.float64] = np.sinc(inside) * window
    return kernel
