"""A whole run: open the connections, drive the listeners, sum up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ttsops.ops.loadtest.arrivals import Plan
from ttsops.ops.loadtest.client import Target, listen, open_session
from ttsops.ops.loadtest.drive import run_load
from ttsops.ops.loadtest.listener import Listening
from ttsops.ops.loadtest.report import Report, summarise


async def measure(
    plan: Plan,
    target: Target,
    *,
    on_result: Callable[[Listening], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Report:
    """Carry out `plan` against `target`; `stop` ends it early with the figures so far."""
    async with open_session(target) as session:
        clock = asyncio.get_running_loop().time
        ask = partial(listen, session, target, clock=clock)
        started_at, results = await run_load(plan, ask, on_result=on_result, stop=stop)
    return summarise(started_at, results)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where there is one: a third less CPU for the client (45 µs per streamed piece, not 73)."""
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
