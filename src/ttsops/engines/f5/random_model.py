"""A model without weights: the right shapes, or small ones, filled with seeded noise.

It never speaks words.
"""

from __future__ import annotations

import torch

from ttsops.engines.f5.config import PUBLISHED, DiTConfig, F5Config, VocosConfig
from ttsops.engines.f5.model import F5Model
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.weights import RandomWeights

FULL = PUBLISHED

SMALL = F5Config(
    dit=DiTConfig(dim=64, depth=2, heads=4, dim_head=16, text_dim=32, conv_layers=2, n_tokens=256),
    vocos=VocosConfig(dim=64, intermediate_dim=128, num_layers=2),
)
"""The same structure, mel and sample rate, at a few milliseconds a step."""


def random_model(
    config: F5Config,
    seed: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> F5Model:
    """A model of `FULL` or `SMALL` size: the same for a seed, on every machine."""
    return F5Model(
        RandomWeights(seed, device=device, dtype=dtype, layer=layer),
        RandomWeights(seed, device=device),
        config,
    )
