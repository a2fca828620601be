import ctypes
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ttsops.engines.nn import many_rows
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.many_rows import (
    INPUT_LEVELS,
    RoundedRows,
    make_rounded,
    rescale,
    round_rows,
)
from ttsops.engines.nn.native import CACHE, LEVELS, cpu_features, load

pytestmark = pytest.mark.unit

WAYS = ("torch", *(level.name for level in LEVELS))


@pytest.fixture(scope="module", params=WAYS)
def library(request: pytest.FixtureRequest) -> ctypes.CDLL | None:
    """Each native form that this processor can run, and none."""
    level = next((one for one in LEVELS if one.name == request.param), None)
    if level is None:
        return None
    if not level.features <= cpu_features():
        pytest.skip(f"this processor has no {level.name}")
    return load(level, Path.home() / CACHE)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def exact_product(x: Tensor, weight: Tensor, bias: Tensor | None, levels: int) -> tuple[Tensor, Tensor]:
    """y = x Wᵀ + b in fp64, and how far a rounded layer may be from it: half a level of each factor."""
    x64, w64 = x.double(), weight.double()
    x_half = x64.abs().amax(1, keepdim=True) / INPUT_LEVELS / 2
    w_half = w64.abs().amax(1, keepdim=True) / levels / 2
    y = x64 @ w64.t() + (0 if bias is None else bias.double())
    sizes = x_half * w64.abs().sum(1) + x64.abs().sum(1, keepdim=True) * w_half.t()
    return y, sizes + x.shape[1] * x_half * w_half.t() + 1e-5 * y.abs() + 1e-5


@pytest.mark.parametrize(("n_in", "n_out"), [(1024, 256), (2048, 33), (100, 7)])
@pytest.mark.parametrize("n_rows", [1, 3, 64, 200])
def test_a_product_is_as_near_as_rounding_allows(
    library: ctypes.CDLL | None, levels: int, n_rows: int, n_in: int, n_out: int
) -> None:
    weight, bias, x = noise(n_out, n_in), noise(n_out, seed=1), noise(n_rows, n_in, seed=2)
    for some_bias in (bias, None):
        expected, bound = exact_product(x, weight, some_bias, levels)
        found = RoundedRows(weight, some_bias, levels, library)(x)
        assert found.dtype == torch.float32
        assert ((found - expected).abs() <= bound).all()


def test_rounding_normal_noise_costs_one_or_two_percent(library: ctypes.CDLL | None, levels: int) -> None:
    weight, x = noise(512, 1024), noise(64, 1024, seed=1)
    found = RoundedRows(weight, None, levels, library)(x)
    assert 0.005 < relative_error(found, x @ weight.t()) < (0.013 if levels == 127 else 0.02)


def test_rounding_takes_the_nearest_of_the_levels(library: ctypes.CDLL | None) -> None:
    x = torch.tensor([[127.0, 0.4, -0.6, 2.5, -3.5, -126.7], [-2.54, 1.27, 0.01, 0.0, -0.011, 2.53]])
    rounded, scales = round_rows(x, library)
    assert rounded.tolist() == [[127, 0, -1, 2, -4, -127], [-127, 64, 0, 0, -1, 126]]
    torch.testing.assert_close(scales, torch.tensor([1.0, 0.02]))


def test_native_and_torch_do_the_same(library: ctypes.CDLL | None) -> None:
    if library is None:
        pytest.skip("compared with itself")
    x = noise(37, 1000)
    x[3] = 0.0
    x[5] *= 1e-20
    x[6] *= 1e20
    (rounded, scales), (expected, expected_scales) = round_rows(x, library), round_rows(x, None)
    assert torch.equal(scales, expected_scales)
    assert torch.equal(rounded, expected)
    sums = torch.randint(-(1 << 24), 1 << 24, (37, 50), dtype=torch.int32)
    for bias in (noise(50), None):
        wanted = rescale(sums.clone(), scales, noise(50, seed=1), bias, None)
        torch.testing.assert_close(
            rescale(sums.clone(), scales, noise(50, seed=1), bias, library), wanted, rtol=1e-6, atol=1e-6
        )


def test_a_row_does_not_depend_on_the_rows_beside_it(library: ctypes.CDLL | None, levels: int) -> None:
    layer = RoundedRows(noise(300, 512), noise(300, seed=1), levels, library)
    x = noise(500, 512, seed=2)
    together = layer(x)
    for first, last in ((0, 1), (7, 12), (100, 499)):
        assert torch.equal(layer(x[first:last]), together[first:last]), (first, last)
    x[1:] *= 100
    assert torch.equal(layer(x)[0], together[0])


def test_threads_change_nothing(library: ctypes.CDLL | None, levels: int) -> None:
    layer = RoundedRows(noise(300, 512), noise(300, seed=1), levels, library)
    x = noise(201, 512, seed=2)
    with_one = layer(x)
    torch.set_num_threads(2)
    try:
        assert torch.equal(layer(x), with_one)
    finally:
        torch.set_num_threads(1)


def test_zeros_give_the_bias(library: ctypes.CDLL | None, levels: int) -> None:
    bias = noise(40)
    for weight, x in ((torch.zeros(40, 64), noise(3, 64)), (noise(40, 64), torch.zeros(3, 64))):
        assert torch.equal(RoundedRows(weight, bias, levels, library)(x), bias.expand(3, 40))


def test_rows_may_lie_anywhere_and_leading_dimensions_are_kept(
    library: ctypes.CDLL | None, levels: int
) -> None:
    layer = RoundedRows(noise(40, 64), noise(40, seed=1), levels, library)
    x = noise(3, 64, 5, seed=2).transpose(1, 2)
    before = x.clone()
    y = layer(x)
    assert y.shape == (3, 5, 40)
    assert torch.equal(y, layer(x.contiguous()))
    assert torch.equal(layer(noise(6, 128)[:, ::2]), layer(noise(6, 128)[:, ::2].contiguous()))
    assert torch.equal(x, before)


def test_no_rows_are_no_work(library: ctypes.CDLL | None, levels: int) -> None:
    layer = RoundedRows(noise(40, 64), noise(40, seed=1), levels, library)
    assert layer(noise(0, 64)).shape == (0, 40)
    assert layer(noise(2, 0, 64)).shape == (2, 0, 40)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_row_that_is_not_finite_stays_so_and_harms_no_other(
    library: ctypes.CDLL | None, levels: int, bad: float
) -> None:
    """A flow that has gone wrong is found by its numbers: rounding must not make it look well."""
    layer = RoundedRows(noise(40, 64), noise(40, seed=1), levels, library)
    x = noise(4, 64, seed=2)
    expected = layer(x)
    x[2, 13] = bad
    found = layer(x)
    assert not found[2].isfinite().any()
    assert torch.equal(found[[0, 1, 3]], expected[[0, 1, 3]])


def test_eight_bits_take_a_quarter_of_the_memory(levels: int) -> None:
    weight = noise(256, 1024)
    assert RoundedRows(weight, None, levels).nbytes < 0.26 * weight.nbytes


def test_large_layers_are_rounded_and_small_ones_are_not(
    levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_rows, "weight_levels", lambda: levels)
    assert isinstance(make_rounded(noise(512, 512), None), RoundedRows)
    assert isinstance(make_rounded(noise(512, 511), None), Linear)
