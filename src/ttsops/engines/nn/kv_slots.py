"""Key/value caches in slots allocated once: an utterance takes a slot, and nothing is concatenated or copied.

Legend: L layers, S slots, G key/value heads, T positions, D dimensions of a head.
"""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

ALIGNMENT = 8
"""What passes of fixed shape read of a cache is a multiple of it: fused attention wants its mask so."""


def aligned(n_positions: int) -> int:
    """The next multiple of `ALIGNMENT`."""
    return ALIGNMENT * -(-n_positions // ALIGNMENT)


def with_scratch(n_positions: int) -> int:
    """Positions of a cache for `n_positions` and at least one behind them, where rows of nobody write."""
    return aligned(n_positions + 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive new positions of one slot."""

    slot: int
    start: int
    """The first new position; everything before it is in the cache."""

    n_rows: int

    @property
    def end(self) -> int:
        """Positions in the slot afterwards."""
        return self.start + self.n_rows


class KvSlots:
    """The cache of one stack of layers. Keys are stored after the rotary embedding."""

    __slots__ = ("data", "n_positions", "n_slots")

    def __init__(
        self,
        n_layers: int,
        n_slots: int,
        n_kv_heads: int,
        n_positions: int,
        head_dim: int,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        self.n_slots = n_slots
        self.n_positions = n_positions
        shape = (n_layers, 2, n_slots, n_kv_heads, n_positions, head_dim)
        self.data = untouched_zeros(shape, dtype, device or torch.device("cpu"))  # [L, 2, S, G, T, D]

    @property
    def bytes_per_slot(self) -> int:
        """Of one slot filled to its last position."""
        return self.data.nbytes // self.n_slots

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Keys and values of one layer, each [S, G, T, D]: views."""
        return self.data[index, 0], self.data[index, 1]

    def fill(self, slot: int, prefix: Tensor) -> None:
        """Begin a slot with the positions of `prefix` [L, 2, G, P, D]."""
        self.data[:, :, slot, :, : prefix.shape[3]] = prefix


def untouched_zeros(shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Zeros that take physical memory on a CPU only where they are written to.

    A slot for 8192 positions is seldom filled; `torch.zeros` would touch every page of it.
    """
    if device.type != "cpu":
        return torch.zeros(*shape, dtype=dtype, device=device)
    memory = mmap.mmap(-1, math.prod(shape) * dtype.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        # Beginnings of slots lie far apart: with pages of 2 MiB a stream's first positions would take,
        # and have zeroed while others wait, a hundred times what they need.
        with contextlib.suppress(OSError):  # a kernel without large pages refuses the advice
            memory.madvise(mmap.MADV_NOHUGEPAGE)
    return torch.frombuffer(memory, dtype=dtype).view(*shape)
