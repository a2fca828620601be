import asyncio

import pytest

from ttsops.errors import EngineUnavailable, Overloaded
from ttsops.runtime.admission import Admission
from ttsops.testing import VirtualClock

pytestmark = pytest.mark.unit


def make(capacity: int = 1, max_queue: int = 2, wait: float = 30.0) -> tuple[Admission, VirtualClock]:
    clock = VirtualClock()
    return Admission(capacity=capacity, max_queue=max_queue, max_wait_seconds=wait, clock=clock), clock


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_are_given_in_order_of_arrival() -> None:
    admission, _ = make()
    order: list[str] = []

    async def visit(name: str) -> None:
        await admission.enter()
        order.append(name)

    tasks = []
    for name in "abc":
        tasks.append(asyncio.create_task(visit(name)))
        await settle()
    assert (order, admission.n_queued) == (["a"], 2)
    admission.leave()
    await settle()
    admission.leave()
    await asyncio.gather(*tasks)
    assert (order, admission.n_live, admission.n_queued) == (["a", "b", "c"], 1, 0)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    admission, clock = make(max_queue=1)
    await admission.enter()
    waiting = asyncio.create_task(admission.enter())
    await settle()
    # A place comes free every 4 s ...
    for _ in range(3):
        clock.advance(4.0)
        admission.leave()
        await settle()
        await waiting
        waiting = asyncio.create_task(admission.enter())
        await settle()
    with pytest.raises(Overloaded) as refused:
        await admission.enter()
    # ... one caller is ahead, so the next place after that is two of those pauses away.
    assert refused.value.retry_after == pytest.approx(8.0)
    waiting.cancel()


async def test_before_any_place_came_free_the_wait_so_far_is_the_measure() -> None:
    admission, clock = make(max_queue=0)
    await admission.enter()
    clock.advance(7.0)
    with pytest.raises(Overloaded) as refused:
        await admission.enter()
    assert refused.value.retry_after == pytest.approx(7.0)


async def test_waiting_too_long_is_refused_and_leaves_the_line() -> None:
    admission, _ = make(wait=0.01)
    await admission.enter()
    with pytest.raises(Overloaded, match="within"):
        await admission.enter()
    assert (admission.n_live, admission.n_queued) == (1, 0)


async def test_whoever_gives_up_waiting_takes_no_place() -> None:
    admission, _ = make()
    await admission.enter()
    task = asyncio.create_task(admission.enter())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    admission.leave()
    assert (admission.n_live, admission.n_queued) == (0, 0)


async def test_a_place_given_in_the_moment_of_giving_up_is_passed_on() -> None:
    admission, _ = make()
    await admission.enter()
    quitter = asyncio.create_task(admission.enter())
    heir = asyncio.create_task(admission.enter())
    await settle()
    admission.leave()  # gives the quitter the place ...
    quitter.cancel()  # ... who is cancelled before running again
    with pytest.raises(asyncio.CancelledError):
        await quitter
    await heir
    assert (admission.n_live, admission.n_queued) == (1, 0)


async def test_a_larger_capacity_lets_those_in_line_in() -> None:
    admission, _ = make()
    await admission.enter()
    waiting = [asyncio.create_task(admission.enter()) for _ in range(2)]
    await settle()
    admission.resize(3)
    await asyncio.gather(*waiting)
    assert admission.n_live == 3


async def test_those_in_line_are_told_when_the_engine_is_gone() -> None:
    admission, _ = make()
    await admission.enter()
    waiting = asyncio.create_task(admission.enter())
    await settle()
    admission.refuse_waiting(EngineUnavailable("gone"))
    with pytest.raises(EngineUnavailable, match="gone"):
        await waiting
    assert (admission.n_live, admission.n_queued) == (1, 0)
