"""Linear layers on a CPU for the few rows that a step has, in fp32 or with 8-bit weights.

Products of one to some thirty rows are bound by the memory that their weights come from; PyTorch's own reach
between all and a fifth of it. `pack` gives the fastest layer this machine has, called as `Linear` is.

Legend: O outputs, I inputs, G groups of inputs that share a scale, N inputs of a group.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.linear import Layer, Linear
from ttsops.engines.nn.native import Packed, native_part

Bits = Literal[32, 8]

STRIP = 32
"""Outputs that are packed together."""

MOST_GROUP = 128
LEAST_GROUP = 16
"""Fewer inputs to a scale than this would cost more than they save: such a layer stays in fp32."""

MIN_WEIGHTS = 1 << 19
"""Smaller layers stay in fp32: they are read once for many rows, or are nothing beside the others."""

_STORE = 0
"""What becomes of the outputs: `enum Ending` of products.hpp."""

_CHUNK_WEIGHTS = 1 << 19
"""Weights packed at a time: they stay in the cache, which makes it nine times as fast."""


def pack(weight: Tensor, bias: Tensor | None, bits: Bits = 32) -> Layer:
    """A layer of `weight` [O, I] and `bias` [O], both fp32 on the CPU.

    With 8 bits only where it pays: in layers of at least `MIN_WEIGHTS` weights.
    """
    is_rounded = bits == 8 and weight.numel() >= MIN_WEIGHTS and group_size(weight.shape[1]) >= LEAST_GROUP
    if (library := native_part()) is not None:
        return PackedLinear(library, weight, bias, 8 if is_rounded else 32)
    return RoundedLinear(weight, bias) if is_rounded else Linear(weight, bias)


class PackedLinear:
    """Weights in the native part's order. Equal inputs give equal outputs, whatever rows are beside them."""

    __slots__ = ("_bias", "_linear", "_weight", "n_in", "n_out", "packed")

    def __init__(self, library: ctypes.CDLL, weight: Tensor, bias: Tensor | None, bits: Bits) -> None:
        self.n_out, self.n_in = weight.shape
        self._linear = library.linear
        self._bias = None if bias is None else functional.pad(bias, (0, -self.n_out % STRIP))
        group = group_size(self.n_in) if bits == 8 else 0
        self._weight = _pack_rounded(weight, group) if group else _pack_exact(weight)
        bias_address = None if self._bias is None else self._bias.data_ptr()
        # A reference to it is what the library takes; the tensors live as long as this layer.
        self.packed = ctypes.byref(
            Packed(self._weight.data_ptr(), bias_address, self.n_in, self.n_out, group)
        )

    @property
    def nbytes(self) -> int:
        """Memory of the weights, with their scales."""
        return self._weight.nbytes

    def __call__(self, x: Tensor) -> Tensor:
        """[..., I] → [..., O], fp32."""
        assert x.dtype == torch.float32
        assert x.shape[-1] == self.n_in
        x = x.contiguous()
        y = x.new_empty(*x.shape[:-1], self.n_out)
        if n_rows := x.numel() // self.n_in:
            self._linear(
                self.packed,
                x.data_ptr(),
                n_rows,
                None,
                0.0,
                _STORE,
                y.data_ptr(),
                torch.get_num_threads(),
            )
        return y


class RoundedLinear:
    """8-bit weights, a scale for each output, inputs in bf16: what PyTorch itself has for few rows."""

    __slots__ = ("_bias", "_scales", "_weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight, scales = round_weights(weight, weight.shape[1])
        self._scales = scales[:, 0].bfloat16()
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """[..., I] → [..., O], fp32."""
        rows = x.reshape(-1, x.shape[-1]).bfloat16()
        y = torch._weight_int8pack_mm(rows, self._weight, self._scales).float().view(*x.shape[:-1], -1)
        return y if self._bias is None else y.add_(self._bias)


def group_size(n_in: int) -> int:
    """Inputs that share a scale: the largest power of two up to 128 that divides `n_in`."""
    return math.gcd(n_in, MOST_GROUP)


def round_weights(weight: Tensor, group: int, levels: int = 127) -> tuple[Tensor, Tensor]:
    """The nearest 8-bit weights [O, I], and what to multiply each group of inputs by [O, G].

    The largest weight of a group becomes `levels`.
    """
    grouped = weight.view(len(weight), -1, group)  # [O, G, N]
    scales = (grouped.abs().amax(2) / levels).clamp_(min=torch.finfo(torch.float32).tiny)
    return grouped.div(scales[..., None]).round_().to(torch.int8).flatten(1), scales


def _pack_exact(weight: Tensor) -> Tensor:
    n_in = weight.shape[1]
    packed = torch.empty(_n_strips(weight), n_in, STRIP)
    for at, chunk in _chunks(weight):
        packed[at] = chunk.view(-1, STRIP, n_in).transpose(1, 2)
    return packed


def _pack_rounded(weight: Tensor, group: int) -> Tensor:
    n_groups = weight.shape[1] // group
    packed = torch.empty(_n_strips(weight), n_groups, (group + 4) * STRIP, dtype=torch.int8)
    for at, chunk in _chunks(weight):
        rounded, scales = round_weights(chunk, group)
        # Two neighbours move as one 16-bit number.
        pairs = rounded.view(torch.int16).view(-1, STRIP, n_groups, group // 2).permute(0, 2, 3, 1)
        packed[at, :, : group * STRIP].view(torch.int16).view(pairs.shape).copy_(pairs)
        by_group = scales.view(-1, STRIP, n_groups).transpose(1, 2).contiguous()
        packed[at, :, group * STRIP :] = by_group.view(torch.int8)
    return packed


def _n_strips(weight: Tensor) -> int:
    return -(-len(weight) // STRIP)


def _chunks(weight: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Some strips at a time and where they belong; the last is filled up with zeros."""
    each = max(1, _CHUNK_WEIGHTS // (STRIP * weight.shape[1]))
    for first in range(0, _n_strips(weight), each):
        chunk = weight[first * STRIP : (first + each) * STRIP]
        chunk = functional.pad(chunk, (0, 0, 0, -len(chunk) % STRIP))
        yield slice(first, first + len(chunk) // STRIP), chunk
