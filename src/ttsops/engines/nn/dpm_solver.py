"""DPM-Solver++ of second order, multistep, for v-prediction, as tables: no state, no framework.

Every step is linear in the sample x, the prediction m of the clean latent, the previous m and, for the
stochastic variant, noise. So for n steps there is one table of coefficients, computed once:

    m = alpha · x - sigma · v
    x ← cx · x + c0 · m + c1 · m_previous + cn · noise

The first and the last step are of first order and the last one ends at sigma 0, where x = m.
https://arxiv.org/abs/2211.01095 (algorithm 2 and section 5, equations for x_θ)
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

Solver: TypeAlias = Literal["dpmsolver++", "sde-dpmsolver++"]
"""Deterministic, or with fresh noise in every step but the last."""

SOLVERS: tuple[Solver, ...] = get_args(Solver)

N_TRAINING_STEPS = 1000
MAX_BETA = 0.999


class Coefficients(NamedTuple):
    """One step; the module's equations name them."""

    alpha: float
    sigma: float
    cx: float
    c0: float
    c1: float
    cn: float


def cosine_betas() -> npt.NDArray[np.float32]:
    """The noise schedule it was trained with [1000]: https://arxiv.org/abs/2102.09672, equation 17."""

    def alpha_bar(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    edges = [i / N_TRAINING_STEPS for i in range(N_TRAINING_STEPS + 1)]
    betas = [min(1 - alpha_bar(b) / alpha_bar(a), MAX_BETA) for a, b in itertools.pairwise(edges)]
    return np.array(betas, np.float32)


def alphas_cumprod() -> npt.NDArray[np.float32]:
    """Share of signal left after each training step [1000]."""
    # Rounded where the published code rounds: at the first step sigma is 20291.303, and an ulp of it counts.
    return np.cumprod(1 - cosine_betas(), dtype=np.float64).astype(np.float32)


def timesteps(n_steps: int) -> npt.NDArray[np.int64]:
    """The training steps at which a sampler of `n_steps` asks the network, largest first [n]."""
    return np.linspace(0, N_TRAINING_STEPS - 1, n_steps + 1).round()[::-1][:-1].astype(np.int64)


def sigmas(n_steps: int) -> npt.NDArray[np.float32]:
    """Noise over signal at each of `timesteps`, and the final 0 [n + 1]."""
    signal = alphas_cumprod()
    ratios = np.sqrt((1 - signal) / signal)
    at = np.interp(timesteps(n_steps), np.arange(N_TRAINING_STEPS), ratios)
    return np.append(at, 0.0).astype(np.float32)


@cache
def coefficients(n_steps: int, solver: Solver) -> tuple[Coefficients, ...]:
    """The table of `n_steps` steps."""
    noise_over_signal = sigmas(n_steps).astype(np.float64)
    alpha = 1 / np.sqrt(noise_over_signal**2 + 1)
    sigma = noise_over_signal * alpha
    with np.errstate(divide="ignore"):
        half_log_snr = np.log(alpha) - np.log(sigma)  # infinite at the end
    steps = []
    for i in range(n_steps):
        h = half_log_snr[i + 1] - half_log_snr[i]
        decay = math.exp(-h)
        to_sample, to_data, to_noise = sigma[i + 1] / sigma[i], alpha[i + 1] * (1 - decay), 0.0
        if solver == "sde-dpmsolver++":
            to_sample *= decay
            to_data = alpha[i + 1] * (1 - decay**2)
            to_noise = sigma[i + 1] * math.sqrt(1 - decay**2)
        correction = 0.0
        if 0 < i < n_steps - 1:
            correction = to_data / 2 * h / (half_log_snr[i] - half_log_snr[i - 1])
        numbers = (alpha[i], sigma[i], to_sample, to_data + correction, -correction, to_noise)
        steps.append(Coefficients(*map(float, numbers)))
    return tuple(steps)
