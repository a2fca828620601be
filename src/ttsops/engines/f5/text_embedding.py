"""What the network is shown of a text: one vector for each mel frame, the tokens first and filler after them.

ConvNeXt V2 blocks (https://arxiv.org/abs/2301.00808) mix neighbours. Their global response normalisation
takes its norm over all frames, so that an embedding depends on how many there are: each chunk has its own, at
its own length, and never one that was padded to another's.

Legend: K texts, n frames, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.f5.config import DiTConfig
from ttsops.engines.nn.layers import load_linear
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.weights import Weights

KERNEL = 7
NORM_EPS = GRN_EPS = 1e-6
THETA = 10_000.0

FILLER = 0
"""The embedding's own row for frames beyond the text; ids of the vocabulary are moved up by one."""


class ConvNeXtBlock:
    """Depthwise convolution, norm, and a feed-forward layer with global response normalisation."""

    def __init__(self, weights: Weights, prefix: str, dim: int, inner: int) -> None:
        self._depthwise = weights.take(f"{prefix}.dwconv.weight", dim, 1, KERNEL)
        self._depthwise_bias = weights.take(f"{prefix}.dwconv.bias", dim)
        self._norm = weights.take(f"{prefix}.norm.weight", dim)
        self._norm_bias = weights.take(f"{prefix}.norm.bias", dim)
        self._in = load_linear(weights, f"{prefix}.pwconv1", dim, inner, layer=Linear)
        self._gamma = weights.take(f"{prefix}.grn.gamma", 1, 1, inner)
        self._beta = weights.take(f"{prefix}.grn.beta", 1, 1, inner)
        self._out = load_linear(weights, f"{prefix}.pwconv2", inner, dim, layer=Linear)

    def __call__(self, x: Tensor) -> Tensor:
        """[K, n, C] → [K, n, C]."""
        dim = x.shape[-1]
        h = functional.conv1d(
            x.transpose(1, 2), self._depthwise, self._depthwise_bias, padding=KERNEL // 2, groups=dim
        ).transpose(1, 2)
        h = functional.layer_norm(h, (dim,), self._norm, self._norm_bias, NORM_EPS)
        h = functional.gelu(self._in(h))
        # Squares of a long text do not fit into fp16.
        norm = h.float().norm(dim=1, keepdim=True)
        response = (norm / (norm.mean(dim=-1, keepdim=True) + GRN_EPS)).to(h.dtype)
        h = h + torch.addcmul(self._beta, h * response, self._gamma)
        return x + self._out(h)


class TextEmbedding:
    """Token ids → one vector for each frame."""

    def __init__(self, weights: Weights, prefix: str, config: DiTConfig) -> None:
        dim = config.text_dim
        n_rows = config.n_tokens + 1
        self._table = weights.take(f"{prefix}.text_embed.weight", n_rows, dim, fan_in=1)
        self._blocks = [
            ConvNeXtBlock(weights, f"{prefix}.text_blocks.{i}", dim, 2 * dim)
            for i in range(config.conv_layers)
        ]
        self._dim = dim

    def __call__(self, ids: Sequence[int], n_frames: int, *, is_guided: bool) -> Tensor:
        """The text [1, n, C]; with guidance also what stands for no text [2, n, C].

        Tokens beyond `n_frames` are cut off. No text still depends on how long this one is.
        """
        device = self._table.device
        rows = torch.full((2 if is_guided else 1, n_frames), FILLER, dtype=torch.long, device=device)
        n_tokens = min(len(ids), n_frames)
        rows[0, :n_tokens] = torch.tensor(ids[:n_tokens], dtype=torch.long, device=device) + 1
        # Frames that the text does not reach are zero, also where it is left out.
        is_filler = (rows[:1] == FILLER)[..., None]
        x = functional.embedding(rows, self._table)
        x = (x + self._positions(n_frames)).masked_fill(is_filler, 0.0)
        for block in self._blocks:
            x = block(x).masked_fill(is_filler, 0.0)
        return x

    def _positions(self, n_frames: int) -> Tensor:
        """Cosines, then sines [n, C]."""
        device, half = self._table.device, self._dim // 2
        frequencies = THETA ** -(torch.arange(0, self._dim, 2, device=device)[:half].float() / self._dim)
        angles = torch.arange(n_frames, device=device).float()[:, None] * frequencies
        return torch.cat((angles.cos(), angles.sin()), dim=-1).to(self._table.dtype)
