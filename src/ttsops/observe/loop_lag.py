"""How late the event loop is: the one figure that tells a blocked server from a slow engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ttsops.observe import metrics


async def sample_loop_lag(
    *,
    interval_seconds: float = 0.25,
    observe: Callable[[float], None] = metrics.EVENT_LOOP_LAG.observe,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Give `observe` the seconds by which each timer came late, until cancelled. Run it as a task."""
    while True:
        due = clock() + interval_seconds
        await sleep(interval_seconds)
        observe(max(0.0, clock() - due))
