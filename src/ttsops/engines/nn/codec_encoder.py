"""The codec's encoder: from samples to one latent per frame, causal, with its streaming state outside.

A convolution that lowers the rate has a kernel of twice its stride and sees r inputs before its own r, so it
is a product of this block of inputs and the one before.

Legend: B utterances, T time steps (they become fewer on the way), C channels, D latent size, r stride.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ttsops.engines.nn.codec_blocks import Block, CausalConv, ConvSlots, Places
from ttsops.engines.nn.weights import Weights


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Sizes of an encoder."""

    latent_size: int
    n_filters: int
    """Channels of the first stage; each stage after it has twice as many."""

    ratios: tuple[int, ...]
    """Strides, from samples to latents."""

    depths: tuple[int, ...]
    """Blocks of each stage: one more than `ratios`."""

    norm_eps: float

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each stage."""
        return tuple(self.n_filters << i for i in range(len(self.depths)))

    @property
    def hop_length(self) -> int:
        """Samples of one frame."""
        return math.prod(self.ratios)


class Downsample:
    """A convolution of stride r and kernel 2r."""

    def __init__(
        self, weights: Weights, prefix: str, n_in: int, n_out: int, ratio: int, places: Places
    ) -> None:
        weight = weights.take(f"{prefix}.weight", n_out, n_in, 2 * ratio)
        taps = weight.permute(0, 2, 1).reshape(
            n_out, 2 * ratio * n_in
        )  # in the order of memory: step, channel
        self._linear = weights.layer(taps, weights.take(f"{prefix}.bias", n_out))
        self._block = ratio * n_in
        self._place = places.add(ratio, n_in)

    def __call__(self, x: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
        """[B, r · T, I] → [B, T, O]."""
        blocks = state.join(self._place, slots, x).view(len(x), -1, self._block)
        return self._linear(torch.cat((blocks[:, :-1], blocks[:, 1:]), dim=2))


class CodecEncoder:
    """Streaming equals encoding a whole recording at once: nothing is normalised over time."""

    def __init__(self, weights: Weights, prefix: str, config: EncoderConfig) -> None:
        places = Places()
        channels = config.channels
        self.config = config
        stem = f"{prefix}.downsample_layers.0.0.conv.conv"
        self._downs: list[CausalConv | Downsample] = [CausalConv(weights, stem, 1, channels[0], places)]
        for i, ratio in enumerate(config.ratios, start=1):
            name = f"{prefix}.downsample_layers.{i}.0.conv.conv"
            self._downs.append(Downsample(weights, name, channels[i - 1], channels[i], ratio, places))
        self._stages = [
            [
                Block(weights, f"{prefix}.stages.{i}.{j}", channels[i], config.norm_eps, places)
                for j in range(depth)
            ]
            for i, depth in enumerate(config.depths)
        ]
        self._head = CausalConv(weights, f"{prefix}.head.conv.conv", channels[-1], config.latent_size, places)
        self._shapes = places.shapes
        self._device, self._dtype = weights.device, weights.dtype

    def new_slots(self, n_slots: int) -> ConvSlots:
        """Memory for so many utterances."""
        return ConvSlots(self._shapes, n_slots, self._device, self._dtype)

    def __call__(self, samples: Tensor, state: ConvSlots, slots: Tensor) -> Tensor:
        """The next frames of the utterances in `slots` [B]: samples [B, T · hop] → [B, T, D]."""
        x = samples[..., None]
        for down, stage in zip(self._downs, self._stages, strict=True):
            x = down(x, state, slots)
            for block in stage:
                x = block(x, state, slots)
        return self._head(x, state, slots)
