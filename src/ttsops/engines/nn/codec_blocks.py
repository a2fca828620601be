"""What the codec's encoders and decoder are built from: causal convolutions whose streaming state is outside.

Channels come last throughout, so that every pointwise layer is one product over [B · T, C].

Legend: B utterances, T time steps, C channels, S slots.
The codec is described in https://arxiv.org/abs/2508.19205, section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.decoder_cpu import feed_forward, mix
from ttsops.engines.nn.few_rows import PackedLinear
from ttsops.engines.nn.layers import load_linear, rms_norm
from ttsops.engines.nn.weights import Weights

KERNEL = 7
"""Taps of every convolution that changes no rate."""


class ConvSlots:
    """What each convolution remembers of each utterance: its last inputs, zeros at first."""

    def __init__(
        self, shapes: Sequence[tuple[int, int]], n_slots: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.buffers = [torch.zeros(n_slots, *shape, device=device, dtype=dtype) for shape in shapes]

    @property
    def bytes_per_slot(self) -> int:
        """Of one utterance."""
        return sum(buffer[0].nbytes for buffer in self.buffers)

    def clear(self, slot: int) -> None:
        """Begin a new utterance."""
        for buffer in self.buffers:
            buffer[slot] = 0

    def join(self, index: int, slots: Tensor, x: Tensor) -> Tensor:
        """What convolution `index` remembers, followed by `x` [B, T, C]; it remembers the end of both."""
        buffer = self.buffers[index]
        joined = torch.cat((buffer[slots], x), dim=1)
        buffer[slots] = joined[:, -buffer.shape[1] :]
        return joined


class Places:
    """Hands out places in `ConvSlots` while a network is built."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []

    def add(self, length: int, channels: int) -> int:
        """A convolution that remembers its last `length` inputs."""
        self.shapes.append((length, channels))
        return len(self.shapes) - 1


class CausalConv:
    """A dense convolution over the last seven steps."""

    def __init__(self, weights: Weights, prefix: str, n_in: int, n_out: int, places: Places) -> None:
        weight = weights.take(f"{prefix}.weight", n_out, n_in, KERNEL)
        self._linear = weights.layer(weight.flatten(1), weights.take(f"{prefix}.bias", n_out))
        self._place = places.add(KERNEL - 1, n_in)

    def __call__(self, x: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
        """[B, T, I] → [B, T, O]."""
        joined = state.join(self._place, slots, x)
        return self._linear(joined.unfold(1, KERNEL, 1).flatten(2))


class Block:
    """A depthwise convolution and a feed-forward layer, each behind a norm and around a residual."""

    def __init__(self, weights: Weights, prefix: str, channels: int, norm_eps: float, places: Places) -> None:
        mixer = f"{prefix}.mixer.conv.conv.conv"
        gamma = weights.take(f"{prefix}.gamma", channels)
        feed_gamma = weights.take(f"{prefix}.ffn_gamma", channels)
        # The layer scales are multiplied into the weights before them.
        self._taps = (
            (weights.take(f"{mixer}.weight", channels, 1, KERNEL)[:, 0] * gamma[:, None]).t().contiguous()
        )
        self._bias = weights.take(f"{mixer}.bias", channels) * gamma
        self._norm = weights.take(f"{prefix}.norm.weight", channels)
        self._feed_norm = weights.take(f"{prefix}.ffn_norm.weight", channels)
        self._in = load_linear(weights, f"{prefix}.ffn.linear1", channels, 4 * channels)
        out = weights.take(f"{prefix}.ffn.linear2.weight", channels, 4 * channels).mul_(feed_gamma[:, None])
        self._out = weights.layer(out, weights.take(f"{prefix}.ffn.linear2.bias", channels).mul_(feed_gamma))
        self._eps = norm_eps
        self._place = places.add(KERNEL - 1, channels)

    def __call__(self, x: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
        """[B, T, C] → [B, T, C]."""
        if isinstance(self._in, PackedLinear) and isinstance(self._out, PackedLinear):
            remembered = state.buffers[self._place]
            x = mix(x, remembered, slots, self._norm, self._eps, self._taps, self._bias)
            return feed_forward(x, self._feed_norm, self._eps, self._in, self._out)
        joined = state.join(self._place, slots, rms_norm(x, self._norm, self._eps))
        n_steps = x.shape[1]
        x = x + self._bias
        for k in range(KERNEL):
            x.addcmul_(joined[:, k : k + n_steps], self._taps[k])
        return x.add_(self._out(functional.gelu(self._in(rms_norm(x, self._feed_norm, self._eps)))))
