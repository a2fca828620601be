"""The diffusion head: from a noisy latent, a time and a condition to a velocity (v-prediction).

Everything that depends on time and condition alone, the AdaLN modulations, is computed for all steps in one
product (`modulations`); a step is then only the feed-forward layers (`velocity`). A quarter of the head's
weights are so read once per frame instead of once per step.

Legend: n steps, R rows, C hidden size, D latent size, M = (3 · layers + 2) · C.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.layers import load_fused, load_linear, rms_norm
from ttsops.engines.nn.weights import Weights

N_FREQUENCIES = 128
MAX_PERIOD = 10_000.0


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """Sizes of a head, named as in the published `config.json`."""

    hidden_size: int
    head_layers: int
    head_ffn_ratio: float
    latent_size: int
    rms_norm_eps: float

    @property
    def feed_forward_size(self) -> int:
        """Inner size of a layer."""
        return int(self.hidden_size * self.head_ffn_ratio)


class HeadLayer:
    """A SwiGLU feed-forward layer; its modulation comes from outside."""

    __slots__ = ("_down", "_eps", "_gate_up", "_norm")

    def __init__(self, weights: Weights, prefix: str, config: HeadConfig) -> None:
        inner = config.feed_forward_size
        gate_up = [(f"{prefix}.ffn.gate_proj", inner), (f"{prefix}.ffn.up_proj", inner)]
        self._eps = config.rms_norm_eps
        self._norm = weights.take(f"{prefix}.norm.weight", config.hidden_size)
        self._gate_up = load_fused(weights, gate_up, config.hidden_size, has_bias=False)
        self._down = load_linear(
            weights, f"{prefix}.ffn.down_proj", inner, config.hidden_size, has_bias=False
        )

    def __call__(self, h: Tensor, shift: Tensor, scale: Tensor, gate: Tensor) -> Tensor:
        """[R, C] → [R, C]."""
        x = torch.addcmul(shift, rms_norm(h, self._norm, self._eps), scale + 1)
        gated, up = self._gate_up(x).chunk(2, dim=-1)
        return torch.addcmul(h, gate, self._down(functional.silu(gated) * up))


class DiffusionHead:
    """Stateless: batched over utterances, guidance branches and, for its modulations, steps."""

    def __init__(self, weights: Weights, prefix: str, config: HeadConfig) -> None:
        hidden = config.hidden_size
        time_mlp = f"{prefix}.t_embedder.mlp"
        modulations = [
            *((f"{prefix}.layers.{i}.adaLN_modulation.1", 3 * hidden) for i in range(config.head_layers)),
            (f"{prefix}.final_layer.adaLN_modulation.1", 2 * hidden),
        ]
        self.config = config
        self._dtype = weights.dtype
        self.input = load_linear(
            weights, f"{prefix}.noisy_images_proj", config.latent_size, hidden, has_bias=False
        )
        self.condition = load_linear(weights, f"{prefix}.cond_proj", hidden, hidden, has_bias=False)
        self.layers = [HeadLayer(weights, f"{prefix}.layers.{i}", config) for i in range(config.head_layers)]
        self._time_in = load_linear(weights, f"{time_mlp}.0", 2 * N_FREQUENCIES, hidden, has_bias=False)
        self._time_out = load_linear(weights, f"{time_mlp}.2", hidden, hidden, has_bias=False)
        self._modulation = load_fused(weights, modulations, hidden, has_bias=False)
        self._output = load_linear(
            weights, f"{prefix}.final_layer.linear", hidden, config.latent_size, has_bias=False
        )

    def embed_time(self, timesteps: Tensor) -> Tensor:
        """[n] → [n, C].

        The published code rounds times to the weights' format first (bf16: 999 → 1000); here they are exact.
        """
        sinusoid = time_sinusoid(timesteps).to(self._dtype)
        return self._time_out(functional.silu(self._time_in(sinusoid)))

    def modulations(self, condition: Tensor, time: Tensor) -> Tensor:
        """From a projected condition and an embedded time, broadcast to [..., C], to [..., M]."""
        return self._modulation(functional.silu(condition + time))

    def split(self, modulations: Tensor) -> tuple[Tensor, ...]:
        """[R, M] → three [R, C] for each layer (shift, scale, gate) and two for the output (shift, scale)."""
        return torch.split(modulations, self.config.hidden_size, dim=-1)

    def velocity(self, x: Tensor, modulations: Tensor) -> Tensor:
        """[R, D] → [R, D]."""
        parts = self.split(modulations)
        h = self.input(x)
        for i, layer in enumerate(self.layers):
            h = layer(h, *parts[3 * i : 3 * i + 3])
        return self.output(h, *parts[-2:])

    def output(self, h: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """[R, C] → [R, D]."""
        return self._output(torch.addcmul(shift, rms_norm(h, None, self.config.rms_norm_eps), scale + 1))


def time_sinusoid(timesteps: Tensor) -> Tensor:
    """[n] → [n, 256], cosines before sines, in fp32."""
    exponents = torch.arange(N_FREQUENCIES, device=timesteps.device).float() * (
        -math.log(MAX_PERIOD) / N_FREQUENCIES
    )
    angles = timesteps.float()[:, None] * exponents.exp()
    return torch.cat((angles.cos(), angles.sin()), dim=-1)
