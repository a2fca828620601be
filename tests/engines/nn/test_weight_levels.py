import os
import subprocess
import sys

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn import many_rows
from ttsops.engines.nn.many_rows import WEIGHT_LEVELS, is_exact, make_rounded, multiply, weight_levels

pytestmark = pytest.mark.unit


def test_the_largest_numbers_of_either_sign_are_multiplied_without_an_error(levels: int) -> None:
    for n_rows, n_in, n_out in ((1, 1024, 64), (7, 100, 33), (64, 4096, 16)):
        for row, weight in ((127, levels), (-127, levels), (127, -levels), (-127, -levels)):
            sums = multiply(
                torch.full((n_rows, n_in), row, dtype=torch.int8),
                torch.full((n_out, n_in), weight, dtype=torch.int8).t(),
            )
            assert (sums == n_in * row * weight).all()


@pytest.mark.parametrize("instructions", ["AVX2", "AVX512_CORE", "SSE41"])
def test_on_an_older_processor_fewer_levels_are_taken_or_none(instructions: str) -> None:
    """There sums of two products are cut at 16 bits: in full range they would be wrong, not by a little."""
    script = """
import torch
from ttsops.engines.nn import many_rows
levels = next((one for one in many_rows.WEIGHT_LEVELS if many_rows.is_exact(one)), 0)
generator = torch.Generator().manual_seed(1)
for n_rows, n_in, n_out in ((1, 1024, 64), (300, 2048, 96), (7, 100, 33)):
    rows = torch.randint(-127, 128, (n_rows, n_in), generator=generator)
    weight = torch.randint(-levels, levels + 1, (n_out, n_in), generator=generator)
    for a, b in ((rows, weight), (rows.sign() * 127, weight.sign() * levels)):
        sums = many_rows.multiply(a.to(torch.int8), b.to(torch.int8).t()) if levels else a @ b.t()
        assert torch.equal(sums.long(), a @ b.t()), (levels, n_rows)
print(levels)
"""
    limits = {"ONEDNN_MAX_CPU_ISA": instructions, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | limits, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) in (0, *WEIGHT_LEVELS)


def test_without_the_product_layers_stay_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_rows, "_MULTIPLY", None)
    monkeypatch.setattr(many_rows, "weight_levels", weight_levels.__wrapped__)
    weight, bias, x = torch.randn(512, 512), torch.randn(512), torch.randn(3, 512)
    layer = make_rounded(weight, bias)
    assert torch.equal(layer(x), functional.linear(x, weight, bias))


@pytest.mark.parametrize("fault", ["wrong", "slow"])
def test_a_product_that_is_wrong_or_slow_is_not_taken(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(rows: Tensor, weight: Tensor, out: Tensor) -> Tensor:
        exact = (rows.double() @ weight.double()).to(torch.int32)  # fp64, and three conversions: never faster
        return out.copy_(exact.clamp(-(1 << 15), (1 << 15) - 1) if fault == "wrong" else exact)

    monkeypatch.setattr(many_rows, "_MULTIPLY", faulty)
    assert weight_levels.__wrapped__() == 0
    assert is_exact(127) is (fault == "slow")
