"""Rows of fixed shape against rows as they come: the same layers, the same caches, the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ttsops.engines.nn.attention import Packing
from ttsops.engines.nn.kv_slots import KvSlots, Span
from ttsops.engines.nn.qwen2 import Qwen2Config, Qwen2Stack
from ttsops.engines.nn.static_rows import SlotRows, WindowRows
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")
CONFIG = Qwen2Config(32, 48, 4, 2, 10, 64, 1e6, 1e-6)
N_LAYERS, N_SLOTS, N_POSITIONS = 2, 5, 24
SCRATCH = N_POSITIONS - 1
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def stack() -> Qwen2Stack:
    return Qwen2Stack(RandomWeights(3), "m", CONFIG, N_LAYERS, has_final_norm=True)


def two_caches() -> tuple[KvSlots, KvSlots]:
    """The same, filled: what is behind a position must never be looked at."""
    caches = tuple(
        KvSlots(N_LAYERS, N_SLOTS, CONFIG.num_key_value_heads, N_POSITIONS, CONFIG.head_dim) for _ in range(2)
    )
    for cache in caches:
        cache.data.copy_(100 * noise(*cache.data.shape))
    return caches  # type: ignore[return-value]


@pytest.mark.parametrize("length", [16, N_POSITIONS])
def test_one_row_for_each_slot(length: int) -> None:
    network, x = stack(), noise(3, 32)
    ragged, static = two_caches()
    starts = [7, 0, 15]
    spans = [Span(slot, start, 1) for slot, start in enumerate(starts)]
    expected = network(x, Packing(spans, CPU), ragged)
    found = network(x, SlotRows(torch.tensor(starts), length, torch.float32), static)
    torch.testing.assert_close(found, expected, **CLOSE)
    torch.testing.assert_close(static.data, ragged.data, **CLOSE)


def test_a_slot_that_takes_no_part_keeps_all_but_its_scratch_position() -> None:
    network, (before, cache) = stack(), two_caches()
    network(noise(3, 32), SlotRows(torch.tensor([SCRATCH, 3, SCRATCH]), 8, torch.float32), cache)
    kept = cache.data[..., :SCRATCH, :]
    is_changed = (kept != before.data[..., :SCRATCH, :]).flatten(-1).any(-1)  # [L, 2, S, G, T]
    assert is_changed[:, :, 1, :, 3].all()
    assert is_changed.sum() == is_changed[:, :, 1, :, 3].numel()


def test_windows_of_slots_in_any_order_some_of_them_short() -> None:
    network = stack()
    ragged, static = two_caches()
    slots, starts, sizes, w = [4, 0, 2], [6, 1, 11], [3, 2, 3], 3
    x = noise(len(slots), w, 32)
    spans = [Span(*one) for one in zip(slots, starts, sizes, strict=True)]
    expected = network(torch.cat([x[i, :n] for i, n in enumerate(sizes)]), Packing(spans, CPU), ragged)
    positions = torch.tensor([[6, 7, 8], [1, 2, SCRATCH], [11, 12, 13]])
    rows = WindowRows(torch.tensor(slots), positions, 2, 16, torch.float32)
    found = network(x.flatten(0, 1), rows, static).view_as(x)
    torch.testing.assert_close(torch.cat([found[i, :n] for i, n in enumerate(sizes)]), expected, **CLOSE)
    torch.testing.assert_close(static.data[..., :SCRATCH, :], ragged.data[..., :SCRATCH, :], **CLOSE)


def test_nothing_behind_a_row_is_seen() -> None:
    """A number that is none would spread to whoever looked at it with any weight."""
    network = stack()
    cache, spoilt = two_caches()
    spoilt.data[..., 9:, :] = 1e30
    x = noise(2, 32)
    found, expected = (
        network(x, SlotRows(torch.tensor([8, 4]), 16, torch.float32), one) for one in (spoilt, cache)
    )
    assert torch.equal(found, expected)
