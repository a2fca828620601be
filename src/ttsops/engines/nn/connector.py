"""From an acoustic latent to the language model's input: Linear, RMS norm, Linear."""

from __future__ import annotations

from torch import Tensor

from ttsops.engines.nn.layers import load_linear, rms_norm
from ttsops.engines.nn.weights import Weights

NORM_EPS = 1e-6
"""Fixed in the published code, unlike the other norms'."""


class Connector:
    """[..., latent] → [..., hidden]."""

    __slots__ = ("_fc1", "_fc2", "_norm")

    def __init__(self, weights: Weights, prefix: str, n_in: int, hidden: int) -> None:
        self._fc1 = load_linear(weights, f"{prefix}.fc1", n_in, hidden)
        self._norm = weights.take(f"{prefix}.norm.weight", hidden)
        self._fc2 = load_linear(weights, f"{prefix}.fc2", hidden, hidden)

    def __call__(self, latents: Tensor) -> Tensor:
        """There is no activation between the two."""
        return self._fc2(rms_norm(self._fc1(latents), self._norm, NORM_EPS))
