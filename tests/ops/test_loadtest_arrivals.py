"""Who comes when, in virtual time."""

import asyncio
import itertools
import random
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops.errors import InvalidValue
from ttsops.ops.loadtest import TEXTS, Listening, Plan, read_corpus, run_load
from ttsops.ops.loadtest.arrivals import poisson_arrivals

pytestmark = pytest.mark.unit

InVirtualTime = Callable[[Any], Any]


def server_that_takes(seconds: float, error: str = "") -> Any:
    async def listen(text: str, due_at: float) -> Listening:
        clock = asyncio.get_running_loop().time
        listening = Listening(due_at, n_chars=len(text), sent_at=clock(), error=error)
        await asyncio.sleep(seconds)
        listening.ended_at = clock()
        return listening

    return listen


def test_arrivals_are_poisson_and_the_same_for_a_seed() -> None:
    arrivals = poisson_arrivals(50, 200, random.Random(1))
    assert arrivals == poisson_arrivals(50, 200, random.Random(1))
    assert arrivals != poisson_arrivals(50, 200, random.Random(2))
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    assert all(gap > 0 for gap in gaps)
    assert arrivals[-1] < 200
    assert len(arrivals) == pytest.approx(10_000, rel=0.05)
    assert statistics.stdev(gaps) == pytest.approx(statistics.fmean(gaps), rel=0.05), "exponential: sd = mean"


def test_a_slow_server_does_not_slow_arrivals_down(in_virtual_time: InVirtualTime) -> None:
    """Coordinated omission: a client that waits for answers asks less when it matters most."""
    plan = Plan(duration_seconds=10, rate=20, seed=3)
    due = poisson_arrivals(20, 10, random.Random(3))
    _, results = in_virtual_time(run_load(plan, server_that_takes(30)))
    assert sorted(one.due_at for one in results) == pytest.approx(due)
    assert all(one.sent_at == pytest.approx(one.due_at) for one in results)


def test_a_cap_makes_listeners_wait_and_their_wait_counts(in_virtual_time: InVirtualTime) -> None:
    plan = Plan(duration_seconds=10, rate=10, max_streams=2, seed=3)
    _, results = in_virtual_time(run_load(plan, server_that_takes(1)))
    last = max(results, key=lambda one: one.due_at)
    assert last.sent_at - last.due_at > 10, "two per second served, ten per second came"
    for one in results:
        others = [o for o in results if o.sent_at <= one.sent_at < o.ended_at]
        assert len(others) <= 2


def test_a_number_of_listeners_is_kept_for_the_duration(in_virtual_time: InVirtualTime) -> None:
    plan = Plan(duration_seconds=20, n_listeners=5, ramp_seconds=1.0)
    _, results = in_virtual_time(run_load(plan, server_that_takes(2)))
    for moment in (1.5, 7.25, 19.9):
        assert sum(one.sent_at <= moment < one.ended_at for one in results) == 5
    assert max(one.sent_at for one in results) < 20
    assert sorted(one.sent_at for one in results)[:5] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])


def test_a_refused_listener_asks_again_after_a_pause(in_virtual_time: InVirtualTime) -> None:
    plan = Plan(duration_seconds=10, n_listeners=1)
    _, results = in_virtual_time(run_load(plan, server_that_takes(0.0, error="connection_failed")))
    assert len(results) == 10


def test_stopping_early_keeps_what_was_heard(in_virtual_time: InVirtualTime) -> None:
    async def stopped_after_five() -> Any:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(5, stop.set)
        plan = Plan(duration_seconds=1000, n_listeners=1)
        return await run_load(plan, server_that_takes(2), stop=stop)

    _, results = in_virtual_time(stopped_after_five())
    assert [one.ended_at for one in results] == [2, 4]


def test_results_are_told_as_they_come(in_virtual_time: InVirtualTime) -> None:
    told: list[Listening] = []
    plan = Plan(duration_seconds=3, n_listeners=2)
    _, results = in_virtual_time(run_load(plan, server_that_takes(1), on_result=told.append))
    assert told == results


def test_a_bug_in_the_client_is_not_a_result(in_virtual_time: InVirtualTime) -> None:
    async def broken(text: str, due_at: float) -> Listening:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        in_virtual_time(run_load(Plan(duration_seconds=3, n_listeners=2), broken))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"rate": 1, "n_listeners": 1}, {"rate": 0}, {"n_listeners": 0}, {"rate": 1, "max_streams": 0}],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        Plan(duration_seconds=1, **wrong)


def test_texts_are_of_various_lengths() -> None:
    lengths = [len(text) for text in TEXTS]
    assert min(lengths) < 20
    assert max(lengths) > 250
    assert len(set(TEXTS)) >= 10


def test_a_corpus_is_a_text_per_line(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("One.\n\n  Two.  \n")
    assert read_corpus(path) == ("One.", "Two.")
    path.write_text("\n")
    with pytest.raises(InvalidValue, match="no text"):
        read_corpus(path)
    with pytest.raises(InvalidValue, match="cannot read"):
        read_corpus(tmp_path / "none.txt")
