"""Programme loudness after ITU-R BS.1770-5: K-weighted, gated, in LUFS.

https://www.itu.int/rec/R-REC-BS.1770. The two filters are given there for 48 kHz; here their analogue
prototypes (the centre frequencies, gains and qualities that reproduce the tabulated coefficients) are brought
to any rate. The filters work on the spectrum of the whole signal, which changes phases only, not loudness.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ttsops.speech import Samples

OFFSET = -0.691
"""LUFS of a K-weighted mean square of 1."""

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
BLOCK_SECONDS, HOP_SECONDS = 0.4, 0.1

SHELF_HZ, SHELF_DB, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773

Spectrum = npt.NDArray[np.complex128]


def loudness(samples: Samples, sample_rate: int) -> float:
    """LUFS of mono samples [N]; -inf if all of it is below the absolute gate, or there is nothing.

    What is shorter than a block of 0.4 s is one block.
    """
    if not len(samples):
        return -math.inf
    weighted = np.fft.irfft(np.fft.rfft(samples) * _k_weighting(len(samples), sample_rate), len(samples))
    energy = np.concatenate([[0.0], np.cumsum(np.square(weighted))])
    block = min(len(samples), round(BLOCK_SECONDS * sample_rate))
    starts = np.arange(0, len(samples) - block + 1, max(1, round(HOP_SECONDS * sample_rate)))
    powers = np.maximum(0.0, energy[starts + block] - energy[starts]) / block
    powers = powers[powers > _power(ABSOLUTE_GATE)]
    if not len(powers):
        return -math.inf
    gate = _power(_lufs(float(powers.mean())) + RELATIVE_GATE)
    return _lufs(float(powers[powers > gate].mean()))


def _lufs(power: float) -> float:
    return OFFSET + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET) / 10))


def _k_weighting(n_samples: int, sample_rate: int) -> Spectrum:
    """Frequency response [N // 2 + 1]: a shelf for the head, a high-pass for what is felt, not heard."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(n_samples))  # one sample of delay
    return _shelf(z, sample_rate) * _high_pass(z, sample_rate)


def _shelf(z: Spectrum, sample_rate: int) -> Spectrum:
    k = math.tan(math.pi * SHELF_HZ / sample_rate)
    high = 10 ** (SHELF_DB / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / SHELF_Q + k * k
    above = high + band * k / SHELF_Q + k * k, 2 * (k * k - high), high - band * k / SHELF_Q + k * k
    below = a0, 2 * (k * k - 1), 1 - k / SHELF_Q + k * k
    return _polynomial(above, z) / _polynomial(below, z)


def _high_pass(z: Spectrum, sample_rate: int) -> Spectrum:
    k = math.tan(math.pi * HIGH_PASS_HZ / sample_rate)
    a0 = 1 + k / HIGH_PASS_Q + k * k
    below = 1.0, 2 * (k * k - 1) / a0, (1 - k / HIGH_PASS_Q + k * k) / a0
    return _polynomial((1.0, -2.0, 1.0), z) / _polynomial(below, z)


def _polynomial(coefficients: tuple[float, float, float], z: Spectrum) -> Spectrum:
    c0, c1, c2 = coefficients
    return np.asarray(c0 + c1 * z + c2 * z * z)
