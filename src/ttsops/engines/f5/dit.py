"""The diffusion transformer: from a noisy mel, a voice, a text and a time to a velocity.

Everything that depends on time alone comes in as `modulations`, a row of `Modulations.table`. `DiT.forward`
is one graph without branches on values, made to be compiled: `compile_method(dit, "forward")`. To wrap an
object around it compiles nothing: what is called is the method.

Legend: R rows (a conditional one, and an unconditional one where guided), n frames, C hidden size, H heads,
D dimensions of a head, M modulations. DiT: https://arxiv.org/abs/2212.09748.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.f5.config import DiTConfig
from ttsops.engines.nn.attention import Rope, rotate
from ttsops.engines.nn.layers import load_linear
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.weights import Weights

NORM_EPS = 1e-6
ROPE_THETA = 10_000.0
CONV_KERNEL, CONV_GROUPS = 31, 16


class ConvPositions:
    """Two wide convolutions over time that tell frames where they are."""

    def __init__(self, weights: Weights, prefix: str, dim: int) -> None:
        shape = (dim, dim // CONV_GROUPS, CONV_KERNEL)
        self._weights = [weights.take(f"{prefix}.conv1d.{i}.weight", *shape) for i in (0, 2)]
        self._biases = [weights.take(f"{prefix}.conv1d.{i}.bias", dim) for i in (0, 2)]

    def __call__(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """[R, n, C] → [R, n, C]. Frames outside `mask` [R, n] are silent, as what lies beyond the last is."""
        y = x.transpose(1, 2)
        is_outside = None if mask is None else ~mask[:, None]
        if is_outside is not None:
            y = y.masked_fill(is_outside, 0.0)
        for weight, bias in zip(self._weights, self._biases, strict=True):
            y = functional.conv1d(y, weight, bias, padding=CONV_KERNEL // 2, groups=CONV_GROUPS)
            if is_outside is not None:
                y = y.masked_fill(is_outside, 0.0)
            y = functional.mish(y)
        return y.transpose(1, 2)


class Attention:
    """Every frame attends to every other, before and after it."""

    def __init__(self, weights: Weights, prefix: str, config: DiTConfig) -> None:
        dim, self._n_heads = config.dim, config.heads
        inner = config.heads * config.dim_head
        parts, biases = [], []
        for name in ("to_q", "to_k", "to_v"):
            weight = weights.take(f"{prefix}.{name}.weight", inner, dim)
            bias = weights.take(f"{prefix}.{name}.bias", inner)
            if name != "to_v":  # the order of dimensions within a head is free where only products are taken
                weight, bias = _halved(weight, config), _halved(bias, config)
            parts.append(weight)
            biases.append(bias)
        self._qkv = weights.layer(torch.cat(parts), torch.cat(biases))
        self._out = load_linear(weights, f"{prefix}.to_out.0", inner, dim)

    def __call__(self, x: Tensor, cos: Tensor, sin: Tensor, keys: Tensor | None) -> Tensor:
        """[R, n, C] → [R, n, C]; `keys` [R, 1, 1, n] is true where there is something to attend to."""
        n_rows, n_frames, _ = x.shape
        qkv = self._qkv(x).view(n_rows, n_frames, 3 * self._n_heads, -1)
        turned = rotate(qkv[:, :, : 2 * self._n_heads], cos, sin)
        q, k = turned.transpose(1, 2).chunk(2, dim=1)
        v = qkv[:, :, 2 * self._n_heads :].transpose(1, 2)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=keys)
        return self._out(y.transpose(1, 2).flatten(2))


class Block:
    """Attention and a feed-forward layer, each modulated and gated from outside."""

    def __init__(self, weights: Weights, prefix: str, config: DiTConfig) -> None:
        dim, inner = config.dim, config.ff_mult * config.dim
        self._attention = Attention(weights, f"{prefix}.attn", config)
        self._in = load_linear(weights, f"{prefix}.ff.ff.0.0", dim, inner)
        self._out = load_linear(weights, f"{prefix}.ff.ff.2", inner, dim)

    def __call__(
        self, x: Tensor, parts: tuple[Tensor, ...], cos: Tensor, sin: Tensor, keys: Tensor | None
    ) -> Tensor:
        """[R, n, C] → [R, n, C]; `parts` are six [R, 1, C]."""
        shift, scale, gate, feed_shift, feed_scale, feed_gate = parts
        x = torch.addcmul(x, gate, self._attention(modulated(x, shift, scale), cos, sin, keys))
        h = functional.gelu(self._in(modulated(x, feed_shift, feed_scale)), approximate="tanh")
        return torch.addcmul(x, feed_gate, self._out(h))


class DiT:
    """Stateless; rows do not see each other.

    Layers of blocks are kept as `weights` says, and may be rounded; what leads in and out is exact.
    """

    def __init__(self, weights: Weights, prefix: str, config: DiTConfig) -> None:
        dim, n_mels = config.dim, config.n_mels
        self._rope = Rope(config.dim_head, ROPE_THETA, weights.device)
        n_in = 2 * n_mels + config.text_dim
        self._input = load_linear(weights, f"{prefix}.input_embed.proj", n_in, dim, layer=Linear)
        self._positions = ConvPositions(weights, f"{prefix}.input_embed.conv_pos_embed", dim)
        self._blocks = [
            Block(weights, f"{prefix}.transformer_blocks.{i}", config) for i in range(config.depth)
        ]
        self._output = load_linear(weights, f"{prefix}.proj_out", dim, n_mels, layer=Linear)

    def forward(
        self, x: Tensor, cond: Tensor, text: Tensor, modulations: Tensor, mask: Tensor | None
    ) -> Tensor:
        """The velocity [R, n, mels] at `x` [R, n, mels], all in the network's own format.

        `cond` [R, n, mels] is the voice's mel, zeros where speech is to be made; `text` [R, n, text];
        `modulations` [R, M]. `mask` [R, n] is true for frames that are there; None if all are. Others come
        out as anything.
        """
        parts = modulations[:, None].chunk(6 * len(self._blocks) + 2, dim=-1)  # each [R, 1, C]
        h = self._input(torch.cat((x, cond, text), dim=-1))
        h = h + self._positions(h, mask)
        cos, sin = self._rope.at(torch.arange(x.shape[1], device=x.device), x.dtype)
        keys = None if mask is None else mask[:, None, None]
        for i, block in enumerate(self._blocks):
            h = block(h, parts[6 * i : 6 * i + 6], cos, sin, keys)
        scale, shift = parts[-2:]
        return self._output(modulated(h, shift, scale))


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer norm without weights of its own, scaled and shifted: [R, n, C] by [R, 1, C]."""
    return torch.addcmul(shift, functional.layer_norm(x, x.shape[-1:], eps=NORM_EPS), scale + 1)


def _halved(tensor: Tensor, config: DiTConfig) -> Tensor:
    """Rows of each head reordered: pairs that turn together are published side by side, here halves apart."""
    pairs = tensor.view(config.heads, config.dim_head // 2, 2, -1)
    return pairs.transpose(1, 2).reshape(tensor.shape)
