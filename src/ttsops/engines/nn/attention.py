"""Attention of new rows to their own slot's cache, and the rotary embedding of their positions.

Rows come in two forms: `Packing` here has as many as there are, and each reads exactly its own positions;
those of `static_rows` have one shape for many batches, and read the same number of positions each.

Legend: N rows, H query heads, G key/value heads, R = H / G, S slots, T positions of a slot, D dimensions of a
head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.kv_slots import Span


class Rope:
    """Rotary position embedding, half-rotation form."""

    __slots__ = ("_frequencies",)

    def __init__(self, head_dim: int, theta: float, device: torch.device) -> None:
        # In fp32 throughout: the published weights were trained with these roundings.
        exponents = torch.arange(0, head_dim, 2).float() / head_dim
        self._frequencies = (1.0 / theta**exponents).to(device)  # [D / 2]

    def at(self, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and signed sines [N, 1, D] of `positions` [N]: the same for every layer."""
        angles = positions[:, None, None].float() * self._frequencies
        cos, sin = angles.cos(), angles.sin()
        # The rotated half is the other half, negated in front: the sign is kept with the sine.
        return torch.cat((cos, cos), dim=-1).to(dtype), torch.cat((-sin, sin), dim=-1).to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` [N, heads, D] turned by its row's position."""
    half = x.shape[-1] // 2
    if torch.compiler.is_compiling():  # a graph has no memory to write to: it would become a scatter
        return torch.addcmul(x * cos, x.roll(half, dims=-1), sin)
    y = x * cos
    # Halves are read where they are: on a CPU, to put them in the other order first takes twice as long.
    y[..., :half].addcmul_(x[..., half:], sin[..., :half])
    y[..., half:].addcmul_(x[..., :half], sin[..., half:])
    return y


class Rows(Protocol):
    """The rows of one pass: where each is kept, and what it attends to."""

    slots: Tensor
    """[N]"""

    positions: Tensor
    """[N]"""

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Causal grouped-query attention.

        `queries` [N, H, D] over `keys`, `values` [S, G, T, D] → [N, H · D].
        What the rows themselves wrote to `keys` and `values` is there already.
        """
        ...


class Packing:
    """Spans of several slots, one after the other in the rows of one input. A slot occurs once."""

    __slots__ = ("n_rows", "positions", "slots", "spans")

    def __init__(self, spans: Sequence[Span], device: torch.device) -> None:
        self.spans = tuple(spans)
        rows = [(span.slot, span.start + i) for span in spans for i in range(span.n_rows)]
        index = torch.tensor(rows, dtype=torch.long).reshape(-1, 2).to(device)
        self.n_rows = len(rows)
        self.slots = index[:, 0]  # [N]
        self.positions = index[:, 1]  # [N]

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """One call per span: each reads exactly its own positions.

        So a result does not depend on who else is in the batch, and nothing is padded to the longest.
        """
        parts = []
        row = 0
        for span in self.spans:
            rows = queries[row : row + span.n_rows]
            parts.append(
                _attend_span(rows, keys[span.slot, :, : span.end], values[span.slot, :, : span.end], span)
            )
            row += span.n_rows
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def _attend_span(queries: Tensor, keys: Tensor, values: Tensor, span: Span) -> Tensor:
    n_rows, n_heads, dim = queries.shape
    n_groups = keys.shape[0]
    # The heads that share a key head become rows of one product: [G, R · n, D].
    folded = queries.view(n_rows, n_groups, -1, dim).permute(1, 2, 0, 3).reshape(1, n_groups, -1, dim)
    mask = _causal_mask(span, n_heads // n_groups, queries.device) if n_rows > 1 else None
    out = functional.scaled_dot_product_attention(folded, keys[None], values[None], attn_mask=mask)
    return out.view(n_groups, -1, n_rows, dim).permute(2, 0, 1, 3).reshape(n_rows, n_heads * dim)


def _causal_mask(span: Span, n_repeats: int, device: torch.device) -> Tensor:
    """True where a row may look, [R · n, end]."""
    last = torch.arange(span.start, span.end, device=device).repeat(n_repeats)
    return torch.arange(span.end, device=device) <= last[:, None]
