"""Comparisons with recorded or computed truth, one to a line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ttsops.engines.nn.comparison import Comparison


def comparison_lines(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """The largest difference of each, and what is tolerated."""
    width = max((len(one.name) for one in comparisons), default=0)
    for one in comparisons:
        sign = "<=" if one.ok else "> "
        mark = "ok " if one.ok else "FAR"
        yield f"  {mark} {one.name:<{width}} {_number(one.max_abs_diff):>8} {sign} {one.tolerance:g}"


def comparison_facts(one: Comparison) -> dict[str, Any]:
    """For JSON, which has no infinity."""
    return {
        "name": one.name,
        "max_abs_diff": None if math.isinf(one.max_abs_diff) else one.max_abs_diff,
        "tolerance": one.tolerance,
        "ok": one.ok,
    }


def _number(value: float) -> str:
    return "absent" if math.isinf(value) else f"{value:.2g}"
