"""Rows of fixed shape for a pass that is captured once and replayed: positions are numbers in a tensor.

Every row reads the same `length` positions of its slot, and a mask hides those behind its own. So one call of
attention serves all rows of a layer, whoever they belong to, and nothing is read back by the host. A row that
belongs to nobody is given a position that nobody reads; what it computes is thrown away.

Legend: N rows, H query heads, G key/value heads, R = H / G, S slots, T positions read, D dimensions of a
head, M windows of W rows.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class SlotRows:
    """One row for each of the first N slots: their cache is read where it lies.

    Slots in any order would have to be gathered first, which moves all they hold once more, in each layer.
    """

    __slots__ = ("_length", "_mask", "positions", "slots")

    def __init__(self, positions: Tensor, length: int, dtype: torch.dtype) -> None:
        """`positions` [N] of the new rows, `dtype` of what is attended to."""
        self.positions = positions
        self.slots = torch.arange(len(positions), device=positions.device)
        self._length = length
        self._mask = _mask(positions, length, dtype)[:, None, None]  # [N, 1, 1, T]

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """`queries` [N, H, D] over `keys`, `values` [S, G, T, D] → [N, H · D]."""
        n_rows, n_heads, dim = queries.shape
        # The heads that share a key head become rows of one product.
        folded = queries.view(n_rows, keys.shape[1], -1, dim)  # [N, G, R, D]
        out = functional.scaled_dot_product_attention(
            folded, keys[:n_rows, :, : self._length], values[:n_rows, :, : self._length], attn_mask=self._mask
        )
        return out.reshape(n_rows, n_heads * dim)


class WindowRows:
    """W rows for each of M slots, in any order. They are few, and so are gathered."""

    __slots__ = ("_length", "_mask", "_shape", "_window_slots", "positions", "slots")

    def __init__(
        self, slots: Tensor, positions: Tensor, n_repeats: int, length: int, dtype: torch.dtype
    ) -> None:
        """`slots` [M], `positions` [M, W] of the new rows; `n_repeats` is R."""
        m, w = self._shape = positions.shape
        self._window_slots = slots
        self.slots = slots[:, None].expand(m, w).flatten()
        self.positions = positions.flatten()
        self._length = length
        self._mask = _mask(positions.repeat(1, n_repeats), length, dtype)[:, None]  # [M, 1, R · W, T]

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """`queries` [M · W, H, D] over `keys`, `values` [S, G, T, D] → [M · W, H · D]."""
        m, w = self._shape
        _, n_heads, dim = queries.shape
        n_groups = keys.shape[1]
        folded = queries.view(m, w, n_groups, -1, dim).permute(0, 2, 3, 1, 4).reshape(m, n_groups, -1, dim)
        out = functional.scaled_dot_product_attention(
            folded,
            keys[self._window_slots, :, : self._length],
            values[self._window_slots, :, : self._length],
            attn_mask=self._mask,
        )
        return out.view(m, n_groups, -1, w, dim).permute(0, 3, 1, 2, 4).reshape(m * w, n_heads * dim)


def _mask(positions: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """What is added to a score [..., T]: nothing up to a row's own position, minus infinity behind it."""
    is_hidden = torch.arange(length, device=positions.device) > positions[..., None]
    return torch.zeros(is_hidden.shape, dtype=dtype, device=positions.device).masked_fill_(
        is_hidden, -torch.inf
    )
