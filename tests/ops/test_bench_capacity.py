"""Which levels a search measures, and what it concludes. No engine, no time."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.ops.bench import Found, Level, climb, find_capacity
from ttsops.ops.bench.capacity import Measure
from ttsops.ops.loadtest.report import spread

pytestmark = pytest.mark.unit


def level(streams: int, underruns: int = 0, **changes: object) -> Level:
    facts: dict[str, object] = {
        "streams": streams,
        "wall_seconds": 1.0,
        "step": spread([0.1]),
        "batch_mean": 1.0,
        "busy_share": 0.5,
        "ttfb": spread([0.05]),
        "ttfa": spread([0.05]),
        "audio_per_second": 1.0,
        "underruns": underruns,
        "underrun_seconds": 0.1 * underruns,
        "streams_with_underruns": underruns,
        "errors": {},
        "worker_bytes": None,
    }
    return Level(**(facts | changes))  # type: ignore[arg-type]


def engine_for(capacity: int) -> Measure:
    async def measure(n_streams: int) -> Level:
        return level(n_streams, underruns=int(n_streams > capacity))

    return measure


def search(how: Callable[..., object], capacity: int, first: int = 1, limit: int = 10_000) -> Found:
    return asyncio.run(how(engine_for(capacity), first=first, limit=limit))  # type: ignore[arg-type]


def counts(found: Found) -> list[int]:
    return [one.streams for one in found.levels]


def test_a_climb_doubles_until_somebody_runs_dry_twice() -> None:
    found = search(climb, 20)
    assert counts(found) == [1, 2, 4, 8, 16, 32, 32]
    assert (found.capacity, found.is_limited) == (16, False)


def test_a_search_halves_what_lies_between() -> None:
    found = search(find_capacity, 20)
    assert counts(found) == [1, 2, 4, 8, 16, 32, 32, 24, 24, 20, 22, 22, 21, 21]
    assert (found.capacity, found.is_limited) == (20, False)


@given(capacity=st.integers(0, 3000), first=st.integers(1, 64), limit=st.integers(1, 2000))
def test_a_search_is_right_to_a_sixteenth_and_never_asks_for_more_than_the_limit(
    capacity: int, first: int, limit: int
) -> None:
    found = search(find_capacity, capacity, first, limit)
    assert max(counts(found)) <= limit
    if capacity >= limit:
        assert (found.capacity, found.is_limited) == (limit, True)
    else:
        assert found.capacity <= capacity <= found.capacity + max(1, found.capacity // 16)
        assert not found.is_limited


def test_an_engine_that_keeps_up_with_nobody_has_no_capacity() -> None:
    found = search(find_capacity, 0)
    assert (found.capacity, counts(found)) == (0, [1, 1])


def test_one_hiccup_of_the_machine_does_not_end_a_search() -> None:
    seen: list[int] = []

    async def measure(n_streams: int) -> Level:
        seen.append(n_streams)
        return level(n_streams, underruns=int(n_streams > 20 or seen.count(n_streams) == 1))

    found = asyncio.run(find_capacity(measure, first=1, limit=100))
    assert found.capacity == 20


@pytest.mark.parametrize("changes", [{"errors": {"overloaded": 1}}, {"ttfb": None}, {"underruns": 1}])
def test_a_level_with_errors_or_without_audio_was_not_kept_up_with(changes: dict[str, object]) -> None:
    assert level(1).is_kept_up
    assert not level(1, **changes).is_kept_up  # type: ignore[arg-type]
