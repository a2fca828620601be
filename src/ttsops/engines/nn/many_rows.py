"""Linear layers on a CPU for the many rows of a whole utterance, with 8-bit weights and 8-bit inputs.

Such products are bound by arithmetic, and processors multiply 8-bit integers two to four times as fast as
fp32 numbers. Each row of inputs and each output's weights are rounded with a scale of their own, and sums are
exact integers: what a row becomes does not depend on the rows beside it. Few rows: see `few_rows.py`.

Legend: R rows, I inputs, O outputs.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ttsops.engines.nn.few_rows import round_weights
from ttsops.engines.nn.linear import Layer, Linear
from ttsops.engines.nn.native import native_part

logger = logging.getLogger(__name__)

MIN_WEIGHTS = 1 << 18
"""Smaller layers stay in fp32: they are nothing beside the others."""

INPUT_LEVELS = 127
"""What the largest input of a row is rounded to."""

WEIGHT_LEVELS = (127, 64)
"""What the largest weight of an output may be rounded to, the best first.

Processors without instructions for 8-bit sums (VNNI) add two products, each of an unsigned and a signed
number, in 16 bits and cut what is beyond: 2 · 255 · 64 is the most that fits. See "Nuances of int8
computations" in oneDNN's documentation.
"""

LEAST = 1e-30
"""Of a row's largest input: its inverse is still a number."""

_MIN_GAIN = 1.2
"""Times as fast as fp32 that a product must be."""

_MULTIPLY: Callable[..., Tensor] | None = getattr(torch, "_int_mm", None)
"""int8 [R, I] times int8 [I, O] into int32 `out`. PyTorch does not promise it: `weight_levels` tries it."""


def make_rounded(weight: Tensor, bias: Tensor | None) -> Layer:
    """A layer of `weight` [O, I] and `bias` [O], both fp32 on the CPU; rounded where that pays."""
    levels = weight_levels() if weight.numel() >= MIN_WEIGHTS else 0
    return RoundedRows(weight, bias, levels, native_part()) if levels else Linear(weight, bias)


class RoundedRows:
    """8-bit weights with a scale for each output. Inputs are rounded as they come, with one for each row."""

    __slots__ = ("_bias", "_library", "_scales", "_weight")

    def __init__(
        self, weight: Tensor, bias: Tensor | None, levels: int, library: ctypes.CDLL | None = None
    ) -> None:
        """`levels` is one of `WEIGHT_LEVELS`; without `library` PyTorch rounds and rescales."""
        rounded, scales = round_weights(weight, weight.shape[1], levels)
        self._weight = rounded.t()
        self._scales = scales[:, 0].contiguous()
        self._bias = bias
        self._library = library

    @property
    def nbytes(self) -> int:
        """Memory of the weights, with their scales."""
        return self._weight.nbytes + self._scales.nbytes

    def __call__(self, x: Tensor) -> Tensor:
        """[..., I] → [..., O], fp32. A row with an infinity or NaN becomes one of NaNs or infinities."""
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        rounded, scales = round_rows(rows, self._library)
        sums = multiply(rounded, self._weight)
        y = rescale(sums, scales, self._scales, self._bias, self._library)
        return y.view(*x.shape[:-1], len(self._scales))


def round_rows(x: Tensor, library: ctypes.CDLL | None) -> tuple[Tensor, Tensor]:
    """The nearest 8-bit numbers to contiguous rows [R, I] in fp32, and what to multiply them by [R]."""
    assert x.dtype == torch.float32
    if library is not None:
        rounded, scales = torch.empty_like(x, dtype=torch.int8), x.new_empty(len(x))
        n_threads = torch.get_num_threads()
        library.round_rows(x.data_ptr(), *x.shape, rounded.data_ptr(), scales.data_ptr(), n_threads)
        return rounded, scales
    scales = x.abs().amax(1).clamp_(min=LEAST) / INPUT_LEVELS
    return (x * scales.reciprocal()[:, None]).round_().to(torch.int8), scales


def multiply(rows: Tensor, weight: Tensor) -> Tensor:
    """Exact sums [R, O] in int32 of rows [R, I] and a transposed weight [I, O], both int8."""
    assert _MULTIPLY is not None
    sums = torch.empty(len(rows), weight.shape[1], dtype=torch.int32)
    return _MULTIPLY(rows, weight, out=sums) if len(rows) else sums


def rescale(
    sums: Tensor, row_scales: Tensor, scales: Tensor, bias: Tensor | None, library: ctypes.CDLL | None
) -> Tensor:
    """sums [R, O] · row_scales [R] · scales [O] + bias [O], in fp32. May be where the sums were."""
    if library is not None:
        library.rescale(
            sums.data_ptr(),
            *sums.shape,
            row_scales.data_ptr(),
            scales.data_ptr(),
            None if bias is None else bias.data_ptr(),
            torch.get_num_threads(),
        )
        return sums.view(torch.float32)
    y = sums.float().mul_(row_scales[:, None]).mul_(scales)
    return y if bias is None else y.add_(bias)


@functools.cache
def weight_levels() -> int:
    """The best of `WEIGHT_LEVELS` with exact sums on this processor; 0 if none has, or nothing is gained."""
    levels = next((one for one in WEIGHT_LEVELS if is_exact(one)), 0)
    if not levels:
        logger.warning("products of 8-bit numbers are not exact on this machine: layers stay in fp32")
    elif not _is_faster():
        logger.warning("products of 8-bit numbers are no faster than fp32 here: layers stay in fp32")
        levels = 0
    return levels


def is_exact(levels: int) -> bool:
    """Whether the largest numbers of either sign, and random ones, are multiplied without an error."""
    if _MULTIPLY is None:
        return False
    n_rows, n_in, n_out = 64, 512, 96
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(-INPUT_LEVELS, INPUT_LEVELS + 1, (n_rows, n_in), generator=generator)
    weight = torch.randint(-levels, levels + 1, (n_out, n_in), generator=generator)
    rows[:4] = torch.tensor([1, -1, 1, -1])[:, None] * INPUT_LEVELS
    rows[2:4, ::2] *= -1
    weight[:4] = torch.tensor([1, -1, 1, -1])[:, None] * levels
    weight[2:4, ::2] *= -1
    found = multiply(rows.to(torch.int8), weight.to(torch.int8).t())
    return torch.equal(found.long(), (rows.double() @ weight.double().t()).long())


def _is_faster() -> bool:
    rows, weight = torch.ones(256, 512), torch.ones(512, 512)
    small_rows, small_weight = rows.to(torch.int8), weight.to(torch.int8)
    exact = _best_seconds(lambda: rows @ weight.t())
    return _best_seconds(lambda: multiply(small_rows, small_weight.t())) * _MIN_GAIN < exact


def _best_seconds(call: Callable[[], Tensor], n_times: int = 7) -> float:
    seconds = []
    for _ in range(n_times):
        started_at = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started_at)
    return min(seconds)
