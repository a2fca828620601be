from __future__ import annotations

import sys

import psutil
import pytest
import torch
from torch import Tensor

from ttsops.engines.nn.attention import Packing, Rope, rotate
from ttsops.engines.nn.kv_slots import KvSlots, Span, untouched_zeros
from ttsops.engines.nn.qwen2 import Qwen2Config, Qwen2Stack
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")
CONFIG = Qwen2Config(32, 48, 4, 2, 10, 64, 1e6, 1e-6)
N_LAYERS = 2


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def stack() -> Qwen2Stack:
    return Qwen2Stack(RandomWeights(3), "m", CONFIG, N_LAYERS, has_final_norm=True)


def cache(n_slots: int = 3, n_positions: int = 16) -> KvSlots:
    return KvSlots(N_LAYERS, n_slots, CONFIG.num_key_value_heads, n_positions, CONFIG.head_dim)


def whole(network: Qwen2Stack, x: Tensor) -> Tensor:
    return network(x, Packing([Span(0, 0, len(x))], CPU), cache())


def test_attention_is_causal_softmax_over_the_own_slot(generator: torch.Generator) -> None:
    n, heads, groups, dim = 5, 4, 2, 8
    queries = torch.randn(n, heads, dim, generator=generator)
    keys, values = (torch.randn(2, groups, n, dim, generator=generator) for _ in range(2))
    found = Packing([Span(1, 0, n)], CPU).attend(queries, keys, values)
    for row in range(n):
        for head in range(heads):
            k, v = keys[1, head // 2, : row + 1], values[1, head // 2, : row + 1]
            weights = torch.softmax(k @ queries[row, head] / dim**0.5, dim=0)
            torch.testing.assert_close(found[row, head * dim : (head + 1) * dim], weights @ v)


def test_rotation_depends_on_the_distance_alone(generator: torch.Generator) -> None:
    rope = Rope(8, 1e4, CPU)
    q, k = (torch.randn(1, 1, 8, generator=generator) for _ in range(2))

    def product(at_q: int, at_k: int) -> float:
        turned = [rotate(x, *rope.at(torch.tensor([at]), torch.float32)) for x, at in ((q, at_q), (k, at_k))]
        return float((turned[0] * turned[1]).sum())

    assert product(7, 3) == pytest.approx(product(104, 100), abs=1e-4)
    assert product(0, 0) == pytest.approx(float((q * k).sum()), abs=1e-5)


def test_row_by_row_equals_the_whole(generator: torch.Generator) -> None:
    network, x = stack(), torch.randn(9, 32, generator=generator)
    slots = cache()
    parts = []
    for start, end in ((0, 4), (4, 5), (5, 6), (6, 9)):
        parts.append(network(x[start:end], Packing([Span(2, start, end - start)], CPU), slots))
    torch.testing.assert_close(torch.cat(parts), whole(network, x), atol=1e-5, rtol=1e-5)


def test_slots_at_different_positions_do_not_see_each_other(generator: torch.Generator) -> None:
    network, slots = stack(), cache()
    one, other = (torch.randn(n, 32, generator=generator) for n in (7, 4))
    network(one[:5], Packing([Span(0, 0, 5)], CPU), slots)
    both = network(
        torch.cat((one[5:6], other[:3], one[:0])), Packing([Span(0, 5, 1), Span(1, 0, 3)], CPU), slots
    )
    last = network(torch.cat((other[3:], one[6:])), Packing([Span(1, 3, 1), Span(0, 6, 1)], CPU), slots)
    expected_one, expected_other = whole(network, one), whole(network, other)
    torch.testing.assert_close(torch.cat((both[:1], last[1:])), expected_one[5:], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.cat((both[1:], last[:1])), expected_other, atol=1e-5, rtol=1e-5)


def test_a_slot_may_be_used_again_without_being_cleared(generator: torch.Generator) -> None:
    network, slots = stack(), cache()
    old, new = (torch.randn(n, 32, generator=generator) for n in (12, 3))
    network(old, Packing([Span(0, 0, 12)], CPU), slots)
    again = network(new, Packing([Span(0, 0, 3)], CPU), slots)
    torch.testing.assert_close(again, whole(network, new))


def test_a_prefix_can_be_filled_in(generator: torch.Generator) -> None:
    network, x = stack(), torch.randn(6, 32, generator=generator)
    first = cache()
    network(x[:5], Packing([Span(0, 0, 5)], CPU), first)
    second = cache()
    second.fill(1, first.data[:, :, 0, :, :5])
    found = network(x[5:], Packing([Span(1, 5, 1)], CPU), second)
    torch.testing.assert_close(found, whole(network, x)[5:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_untouched_memory_is_zero(dtype: torch.dtype) -> None:
    memory = untouched_zeros((3, 5), dtype, CPU)
    assert memory.dtype == dtype
    assert not memory.any()
    memory[1, 2] = 1
    assert memory.sum() == 1


def test_bytes_per_slot_is_what_is_allocated() -> None:
    slots = cache(n_slots=4, n_positions=100)
    assert slots.bytes_per_slot * 4 == slots.data.nbytes == N_LAYERS * 2 * 4 * 2 * 100 * 8 * 4


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory in use")
def test_the_beginnings_of_slots_take_no_more_memory_than_they_fill() -> None:
    slots = KvSlots(2, 32, 2, 8192, 64)  # 512 MiB if all of it were used
    before = psutil.Process().memory_info().rss
    for slot in range(32):
        slots.fill(slot, torch.ones(2, 2, 2, 16, 64))
    n_filled = 32 * 2 * 2 * 2 * 16 * 64 * 4
    assert psutil.Process().memory_info().rss - before < 2 * n_filled + 2**20
