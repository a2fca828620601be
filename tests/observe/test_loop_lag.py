"""The event-loop sampler, with a clock that is moved by hand."""

import asyncio
import time

import pytest

from ttsops.observe.loop_lag import sample_loop_lag

pytestmark = pytest.mark.unit


async def test_the_lag_is_how_late_the_timer_ran() -> None:
    lateness = [0.0, 0.3, 0.001, -0.001]
    now = 100.0
    seen: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        if len(seen) == len(lateness):
            raise asyncio.CancelledError
        now += seconds + lateness[len(seen)]

    with pytest.raises(asyncio.CancelledError):
        await sample_loop_lag(interval_seconds=0.25, observe=seen.append, clock=lambda: now, sleep=sleep)
    assert seen == pytest.approx([0.0, 0.3, 0.001, 0.0]), "a timer that runs early is no lag"


async def test_a_blocked_loop_is_seen() -> None:
    first_lag = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(sample_loop_lag(interval_seconds=0.01, observe=first_lag.set_result))
    await asyncio.sleep(0)
    time.sleep(0.06)  # noqa: ASYNC251 - the fault under test
    assert await first_lag >= 0.04
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
