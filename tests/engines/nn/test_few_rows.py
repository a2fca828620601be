import ctypes
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn import few_rows
from ttsops.engines.nn.few_rows import PackedLinear, RoundedLinear, group_size, pack, round_weights
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.native import CACHE, LEVELS, Level, cpu_features, load

pytestmark = pytest.mark.unit

ROWS = (1, 2, 3, 4, 5, 7, 12, 13, 16, 25, 40, 200, 400)
"""Around the borders of what the code treats as one block of rows."""


@pytest.fixture(scope="module", params=LEVELS, ids=lambda level: level.name)
def library(request: pytest.FixtureRequest) -> ctypes.CDLL:
    level: Level = request.param
    if not level.features <= cpu_features():
        pytest.skip(f"this processor has no {level.name}")
    return load(level, Path.home() / CACHE)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def used_weights(weight: Tensor) -> Tensor:
    """What a layer with 8-bit weights multiplies by."""
    group = group_size(weight.shape[1])
    rounded, scales = round_weights(weight, group)
    return rounded * scales.repeat_interleave(group, dim=1)


@pytest.mark.parametrize(("n_in", "n_out"), [(896, 100), (64, 32), (2048, 40), (7, 1), (130, 33)])
def test_packed_product_equals_the_plain_one(library: ctypes.CDLL, n_in: int, n_out: int) -> None:
    weight, bias = noise(n_out, n_in), noise(n_out, seed=1)
    layer = PackedLinear(library, weight, bias, 32)
    for n_rows in ROWS:
        x = noise(n_rows, n_in, seed=n_rows)
        assert relative_error(layer(x), functional.linear(x, weight, bias)) < 3e-6, n_rows


@pytest.mark.parametrize(("n_in", "n_out"), [(896, 100), (64, 32), (2048, 40), (48, 7)])
def test_rounded_product_equals_the_plain_one_with_its_weights(
    library: ctypes.CDLL, n_in: int, n_out: int
) -> None:
    weight, bias = noise(n_out, n_in), noise(n_out, seed=1)
    layer = PackedLinear(library, weight, bias, 8)
    for n_rows in ROWS:
        x = noise(n_rows, n_in, seed=n_rows)
        assert relative_error(layer(x), functional.linear(x, used_weights(weight), bias)) < 1e-4, n_rows


def test_rounding_weights_costs_half_a_percent(library: ctypes.CDLL) -> None:
    weight, x = noise(512, 896), noise(4, 896, seed=1)
    assert relative_error(PackedLinear(library, weight, None, 8)(x), x @ weight.t()) < 0.007


def test_an_outlier_does_not_drown_the_other_inputs(library: ctypes.CDLL) -> None:
    """Language models have inputs a thousand times the others: eight bits for all would lose the rest."""
    weight, x = noise(64, 896), noise(2, 896, seed=1)
    x[:, 5] = 3000.0
    weight[:, 5] = 0.0
    assert relative_error(PackedLinear(library, weight, None, 8)(x), x @ weight.t()) < 0.02


@pytest.mark.parametrize("bits", [32, 8])
def test_a_row_does_not_depend_on_the_rows_beside_it(library: ctypes.CDLL, bits: few_rows.Bits) -> None:
    layer = PackedLinear(library, noise(100, 256), noise(100, seed=1), bits)
    x = noise(400, 256, seed=2)
    alone = layer(x[:1])
    for n_rows in ROWS:
        assert torch.equal(layer(x[:n_rows])[:1], alone), n_rows


@pytest.mark.parametrize("bits", [32, 8])
def test_threads_change_nothing(library: ctypes.CDLL, bits: few_rows.Bits) -> None:
    layer = PackedLinear(library, noise(1000, 256), None, bits)
    x = noise(30, 256, seed=2)
    with_one = layer(x)
    torch.set_num_threads(2)
    try:
        assert torch.equal(layer(x), with_one)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("bits", [32, 8])
def test_zeros_give_the_bias(library: ctypes.CDLL, bits: few_rows.Bits) -> None:
    bias = noise(40)
    assert torch.equal(
        PackedLinear(library, torch.zeros(40, 64), bias, bits)(noise(3, 64)), bias.expand(3, 40)
    )
    assert torch.equal(
        PackedLinear(library, noise(40, 64), bias, bits)(torch.zeros(3, 64)), bias.expand(3, 40)
    )


def test_leading_dimensions_are_kept_and_no_rows_are_no_work(library: ctypes.CDLL) -> None:
    layer = PackedLinear(library, noise(40, 64), None, 32)
    assert layer(noise(2, 5, 64)).shape == (2, 5, 40)
    assert layer(noise(0, 64)).shape == (0, 40)


def test_eight_bits_take_a_quarter_of_the_memory(library: ctypes.CDLL) -> None:
    weight = noise(256, 1024)
    exact, rounded = (PackedLinear(library, weight, None, bits).nbytes for bits in (32, 8))
    assert exact == weight.nbytes
    assert rounded <= 0.26 * exact


def test_small_layers_stay_exact(library: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "native_part", lambda: library)
    large, small = noise(1024, 1024), noise(64, 64)
    for weight, is_exact in ((large, False), (small, True)):
        x = noise(2, weight.shape[1], seed=1)
        error = relative_error(pack(weight, None, 8)(x), x @ weight.t())
        assert (error < 1e-5) is is_exact


def test_without_the_native_part_pytorch_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "native_part", lambda: None)
    weight, bias, x = noise(1024, 1024), noise(1024, seed=1), noise(2, 3, 1024, seed=2)
    exact, rounded = pack(weight, bias, 32), pack(weight, bias, 8)
    assert isinstance(exact, Linear)
    assert isinstance(rounded, RoundedLinear)
    assert torch.equal(exact(x), functional.linear(x, weight, bias))
    assert relative_error(rounded(x), functional.linear(x, weight, bias)) < 0.015
