"""One line of a comparison with recorded truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far one tensor is from its recording."""

    name: str
    max_abs_diff: float
    """Infinite if it is missing, has another shape, or is not finite."""

    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether it is near enough."""
        return self.max_abs_diff <= self.tolerance


def compare(name: str, actual: Tensor | None, recorded: Tensor, tolerance: float) -> Comparison:
    """The largest difference of any element."""
    if actual is None or actual.shape != recorded.shape:
        return Comparison(name, math.inf, tolerance)
    if not recorded.numel():
        return Comparison(name, 0.0, tolerance)
    difference = (actual.double() - recorded.double()).abs().max().item()
    return Comparison(name, difference if math.isfinite(difference) else math.inf, tolerance)


def compare_frames(
    name: str, actual: Tensor | None, recorded: Tensor, *, first: float, later: float
) -> Iterator[Comparison]:
    """The first row, and all of them: feedback amplifies rounding from frame to frame."""
    yield compare(f"{name}[0]", None if actual is None else actual[:1], recorded[:1], first)
    yield compare(name, actual, recorded, later)


def stack(tensors: list[Tensor]) -> Tensor | None:
    """Rows of the same shape as one tensor, None if there are none."""
    return torch.cat(tensors) if tensors else None
