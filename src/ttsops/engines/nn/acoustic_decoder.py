"""The acoustic decoder: from one latent per frame to samples, causal, with its streaming state outside.

A transposed convolution, whose kernel is twice its stride, is a product of this input and the one before.

Legend: B utterances, T time steps (they multiply on the way up), C channels, r stride.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ttsops.engines.nn.codec_blocks import KERNEL, Block, CausalConv, ConvSlots, Places
from ttsops.engines.nn.weights import Weights


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


class Head:
    """A convolution to one channel: seven products of every input at once, each added one step later.

    Gathering the seven inputs of each of 3200 samples first would move seven times the memory.
    """

    def __init__(self, weights: Weights, prefix: str, n_in: int, places: Places) -> None:
        weight = weights.take(f"{prefix}.weight", 1, n_in, KERNEL)
        self._taps = weight[0].contiguous()  # [C, taps]
        self._bias = weights.take(f"{prefix}.bias", 1)
        self._place = places.add(KERNEL - 1, n_in)

    def __call__(self, x: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
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
        self, weights: Weights, prefix: str, n_in: int, n_out: int, ratio: int, places: Places
    ) -> None:
        weight = weights.take(f"{prefix}.weight", n_in, n_out, 2 * ratio, fan_in=2 * n_in)
        # Outputs 0 … r-1 of a step come from this input, and r … 2r-1 of the step before are added to them.
        taps = weight.view(n_in, n_out, 2, ratio).permute(3, 1, 2, 0)  # [r, O, this | before, I]
        bias = weights.take(f"{prefix}.bias", n_out).repeat(ratio)
        self._linear = weights.layer(taps.reshape(ratio * n_out, 2 * n_in), bias)
        self._n_out = n_out
        self._place = places.add(1, n_in)

    def __call__(self, x: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
        """[B, T, I] → [B, r · T, O]."""
        before = state.join(self._place, slots, x)[:, :-1]
        return self._linear(torch.cat((x, before), dim=2)).view(len(x), -1, self._n_out)


class AcousticDecoder:
    """Streaming equals decoding a whole sequence at once: nothing is normalised over time."""

    def __init__(self, weights: Weights, prefix: str, config: DecoderConfig) -> None:
        places = Places()
        channels = config.channels
        self.config = config
        stem = f"{prefix}.upsample_layers.0.0.conv.conv"
        self.ups: list[CausalConv | Upsample] = [
            CausalConv(weights, stem, config.latent_size, channels[0], places)
        ]
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

    def new_slots(self, n_slots: int) -> ConvSlots:
        """Memory for so many utterances."""
        return ConvSlots(self._shapes, n_slots, self._device, self._dtype)

    def __call__(self, latents: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
        """The next samples of the utterances in `slots` [B]: latents [B, T, D] → [B, T · hop]."""
        x = latents
        for up, stage in zip(self.ups, self.stages, strict=True):
            x = up(x, state, slots)
            for block in stage:
                x = block(x, state, slots)
        return self.head(x, state, slots)
