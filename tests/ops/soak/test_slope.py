"""The slope and its interval."""

import random

import pytest

from ttsops.ops.soak import theil_sen

pytestmark = pytest.mark.unit


def test_a_line_has_its_slope_and_no_doubt() -> None:
    slope = theil_sen([(float(x), 3.0 * x + 7) for x in range(10)])
    assert slope is not None
    assert (slope.value, slope.low, slope.high) == (3.0, 3.0, 3.0)


def test_outliers_do_not_move_it() -> None:
    points = [(float(x), 2.0 * x) for x in range(20)]
    points[4] = (4.0, 1e6)
    points[15] = (15.0, -1e6)
    slope = theil_sen(points)
    assert slope is not None
    assert slope.value == pytest.approx(2.0)


@pytest.mark.parametrize("true_slope", [0.0, 0.5])
def test_the_interval_holds_the_true_slope_nineteen_times_of_twenty(true_slope: float) -> None:
    rng = random.Random(3)
    held = 0
    for _ in range(400):
        slope = theil_sen([(float(x), true_slope * x + rng.gauss(0, 1)) for x in range(15)])
        assert slope is not None
        held += slope.low <= true_slope <= slope.high
    assert 0.93 <= held / 400 <= 0.98


@pytest.mark.parametrize("points", [[], [(0.0, 1.0)], [(1.0, 1.0), (1.0, 2.0), (2.0, 3.0)]])
def test_of_too_few_places_there_is_none(points: list[tuple[float, float]]) -> None:
    assert theil_sen(points) is None
