"""Sends the listeners at their times and gathers what they heard.

The clock is the event loop's own, so that a loop with virtual time drives a test of minutes in no time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from ttsops.ops.loadtest.arrivals import Plan, poisson_arrivals
from ttsops.ops.loadtest.listener import Listening

Listen = Callable[[str, float], Awaitable[Listening]]
"""Text and due time → what was heard."""

RETRY_SECONDS = 1.0
"""Closed loop: a listener who was refused asks again after this; at once would be an attack, not a test."""


async def run_load(
    plan: Plan,
    listen: Listen,
    *,
    on_result: Callable[[Listening], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> tuple[float, list[Listening]]:
    """The start's time and every listening, in the order they ended.

    `stop` ends it early: those who still listen are cut off and are not in the result.
    """
    results: list[Listening] = []

    async def one(text: str, due_at: float) -> Listening:
        result = await listen(text, due_at)
        results.append(result)
        on_result(result)
        return result

    started_at = asyncio.get_running_loop().time()
    drive = _open_loop if plan.rate is not None else _closed_loop
    load = asyncio.create_task(drive(plan, one, started_at))
    stopped = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait({load, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (load, stopped):
            task.cancel()
        outcome, _ = await asyncio.gather(load, stopped, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return started_at, results


async def _open_loop(plan: Plan, one: Listen, started_at: float) -> None:
    assert plan.rate is not None
    clock = asyncio.get_running_loop().time
    rng = random.Random(plan.seed)
    arrivals = poisson_arrivals(plan.rate, plan.duration_seconds, rng)
    places = asyncio.Semaphore(plan.max_streams or max(1, len(arrivals)))

    async def come(text: str, due_at: float) -> None:
        async with places:
            await one(text, due_at)

    async with asyncio.TaskGroup() as group:
        for at in arrivals:
            await asyncio.sleep(max(0.0, started_at + at - clock()))
            group.create_task(come(rng.choice(plan.texts), started_at + at))


async def _closed_loop(plan: Plan, one: Listen, started_at: float) -> None:
    assert plan.n_listeners is not None
    clock = asyncio.get_running_loop().time
    ends_at = started_at + plan.duration_seconds

    async def stay(number: int, comes_after: float) -> None:
        rng = random.Random(plan.seed + number)
        await asyncio.sleep(comes_after)
        while (now := clock()) < ends_at:
            result = await one(rng.choice(plan.texts), now)
            if result.error:
                await asyncio.sleep(RETRY_SECONDS)

    async with asyncio.TaskGroup() as group:
        for number in range(plan.n_listeners):
            group.create_task(stay(number, plan.ramp_seconds * number / plan.n_listeners))
