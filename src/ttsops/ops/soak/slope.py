"""A slope that outliers do not move, with its confidence interval.

Theil-Sen: the median of the slopes between all pairs of points. The interval is Sen's, from the distribution
of Kendall's S: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
It holds for points that are independent of each other, which samples of memory are not: an allocator grows in
steps, and each step stays. Give it medians of blocks, not samples.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Slope:
    """y per x."""

    value: float
    low: float
    high: float
    """Of the interval in which the true slope lies with the confidence asked for."""


def theil_sen(points: Sequence[tuple[float, float]], confidence: float = CONFIDENCE) -> Slope | None:
    """Of points (x, y); None if they have fewer than three different x. Two with the same x make no pair."""
    if len({x for x, _ in points}) < 3:
        return None
    slopes = sorted(
        (y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1 :] if x1 != x2
    )
    n_points = len(points)
    deviation = math.sqrt(n_points * (n_points - 1) * (2 * n_points + 5) / 18)
    reach = statistics.NormalDist().inv_cdf((1 + confidence) / 2) * deviation
    first = math.floor((len(slopes) - reach) / 2)
    last = math.ceil((len(slopes) + reach) / 2)
    return Slope(statistics.median(slopes), slopes[max(0, first)], slopes[min(len(slopes) - 1, last)])
