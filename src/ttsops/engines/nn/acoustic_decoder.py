"""The acoustic decoder: from one latent per frame to samples, causal, with its streaming state outside.

Channels come last throughout, so that every pointwise layer is one product over [B · T, C] and a transposed
convolution, whose kernel is twice its stride, is a product of this input and the one before.

Legend: B utterances, T time steps (they multiply on the way up), C channels, S slots, r stride.
The codec is described in https://arxiv.org/abs/2508.19205, section 2.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.decoder_cpu import feed_forward, mix
from ttsops.engines.nn.few_rows import PackedLinear
from ttsops.engines.nn.layers import load_linear, rms_norm
from ttsops.engines.nn.weights import Weights

KERNEL = 7
"""Taps of every convolution that is not transposed."""


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes of a decoder."""

    latent_size: int
    n_filters: int
    """Channels of the last stage; each stage before it has twice as many."""

    ratios: tuple[int, ...]
    """Strides, from latents to samples."""

    depths: tuple[int, ...]
    """Blocks of each stage: one more than `ratios`."""

    norm_eps: float

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each stage."""
        return tuple(self.n_filters << i for i in reversed(range(len(self.depths))))

    @property
    def hop_length(self) -> int:
        """Samples of one frame."""
        return math.prod(self.ratios)


class DecoderSlots:
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


class _Shapes:
    """Hands out places in `DecoderSlots` while the network is built."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []

    def add(self, length: int, channels: int) -> int:
        self.shapes.append((length, channels))
        return len(self.shapes) - 1


class Stem:
    """A dense convolution over the last seven latents."""

    def __init__(self, weights: Weights, prefix: str, n_in: int, n_out: int, places: _Shapes) -> None:
        weight = weights.take(f"{prefix}.weight", n_out, n_in, KERNEL)
        self._linear = weights.layer(weight.flatten(1), weights.take(f"{prefix}.bias", n_out))
        self._place = places.add(KERNEL - 1, n_in)

    def __call__(self, x: Tensor, state: DecoderSlots, slots: Tensor) -> Tensor:
        """[B, T, D] → [B, T, C]."""
        joined = state.join(self._place, slots, x)
        return self._linear(joined.unfold(1, KERNEL, 1).flatten(2))


class Head:
    """A convolution to one channel: seven products of every input at once, each added one step later.

    Gathering the seven inputs of each of 3200 samples first would move seven times the memory.
    """

    def __init__(self, weights: Weights, prefix: str, n_in: int, places: _Shapes) -> None:
        weight = weights.take(f"{prefix}.weight", 1, n_in, KERNEL)
        self._taps = weight[0].contiguous()  # [C, taps]
        self._bias = weights.take(f"{prefix}.bias", 1)
        self._place = places.add(KERNEL - 1, n_in)

    def __call__(self, x: Tensor, state: DecoderSlots, slots: Tensor) -> Tensor:
        """[B, T, C] → [B, T]."""
        products = state.join(self._place, slots, x) @ self._taps  # [B, T + 6, taps]
        n_steps = x.shape[1]
        y = products[:, :n_steps, 0] + self._bias
        for k in range(1, KERNEL):
            y += products[:, k : k + n_steps, k]
        return y


class Upsample:
    """A transposed convolution of stride r and kernel 2r."""

    def __init__(
        self, weights: Weights, prefix: str, n_in: int, n_out: int, ratio: int, places: _Shapes
    ) -> None:
        weight = weights.take(f"{prefix}.weight", n_in, n_out, 2 * ratio, fan_in=2 * n_in)
        # Outputs 0 … r-1 of a step come from this input, and r … 2r-1 of the step before are added to them.
        taps = weight.view(n_in, n_out, 2, ratio).permute(3, 1, 2, 0)  # [r, O, this | before, I]
        bias = weights.take(f"{prefix}.bias", n_out).repeat(ratio)
        self._linear = weights.layer(taps.reshape(ratio * n_out, 2 * n_in), bias)
        self._n_out = n_out
        self._place = places.add(1, n_in)

    def __call__(self, x: Tensor, state: DecoderSlots, slots: Tensor) -> Tensor:
        """[B, T, I] → [B, r · T, O]."""
        before = state.join(self._place, slots, x)[:, :-1]
        return self._linear(torch.cat((x, before), dim=2)).view(len(x), -1, self._n_out)


class Block:
    """A depthwise convolution and a feed-forward layer, each behind a norm and around a residual."""

    def __init__(
        self, weights: Weights, prefix: str, channels: int, norm_eps: float, places: _Shapes
    ) -> None:
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

    def __call__(self, x: Tensor, state: DecoderSlots, slots: Tensor) -> Tensor:
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


class AcousticDecoder:
    """Streaming equals decoding a whole sequence at once: nothing is normalised over time."""

    def __init__(self, weights: Weights, prefix: str, config: DecoderConfig) -> None:
        places = _Shapes()
        channels = config.channels
        self.config = config
        stem = f"{prefix}.upsample_layers.0.0.conv.conv"
        self.ups: list[Stem | Upsample] = [Stem(weights, stem, config.latent_size, channels[0], places)]
        for i, ratio in enumerate(config.ratios, start=1):
            name = f"{prefix}.upsample_layers.{i}.0.convtr.convtr"
            self.ups.append(Upsample(weights, name, channels[i - 1], channels[i], ratio, places))
        self.stages = [
            [
                Block(weights, f"{prefix}.stages.{i}.{j}", channels[i], config.norm_eps, places)
                for j in range(depth)
            ]
            for i, depth in enumerate(config.depths)
        ]
        self.head = Head(weights, f"{prefix}.head.conv.conv", channels[-1], places)
        self._shapes = places.shapes
        self._device, self._dtype = weights.device, weights.dtype

    def new_slots(self, n_slots: int) -> DecoderSlots:
        """Memory for so many utterances."""
        return DecoderSlots(self._shapes, n_slots, self._device, self._dtype)

    def __call__(self, latents: Tensor, state: DecoderSlots, slots: Tensor) -> Tensor:
        """The next samples of the utterances in `slots` [B]: latents [B, T, D] → [B, T · hop]."""
        x = latents
        for up, stage in zip(self.ups, self.stages, strict=True):
            x = up(x, state, slots)
            for block in stage:
                x = block(x, state, slots)
        return self.head(x, state, slots)
