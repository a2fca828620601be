from __future__ import annotations

import math

import pytest
import torch

from ttsops.engines.nn.comparison import compare, compare_frames

pytestmark = pytest.mark.unit


def test_the_largest_difference_decides() -> None:
    found = compare("x", torch.tensor([1.0, 2.5]), torch.tensor([1.0, 2.0]), 0.4)
    assert (found.max_abs_diff, found.ok) == (0.5, False)
    assert compare("x", torch.tensor([1.0]), torch.tensor([1.25]), 0.4).ok


@pytest.mark.parametrize("actual", [None, torch.zeros(3), torch.tensor([0.0, math.nan])])
def test_missing_misshapen_and_nan_are_infinitely_far(actual: torch.Tensor | None) -> None:
    found = compare("x", actual, torch.zeros(2), 1e9)
    assert math.isinf(found.max_abs_diff)
    assert not found.ok


def test_the_first_frame_has_a_tolerance_of_its_own() -> None:
    actual, recorded = torch.tensor([[0.5], [0.9]]), torch.zeros(2, 1)
    first, all_frames = compare_frames("x", actual, recorded, first=0.1, later=1.0)
    assert (first.name, first.ok) == ("x[0]", False)
    assert (all_frames.name, all_frames.ok) == ("x", True)
