"""The traffic of a simulation, sent to real servers at its times, and listened to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from benchmarks.capacity.arrivals import Seconds
from ttsops.ops.loadtest import Listening, Target, new_event_loop
from ttsops.ops.loadtest.client import listen, open_session


def replay(times: Seconds, texts: Sequence[str], urls: Sequence[str]) -> list[Listening]:
    """What each listener heard, in their order; each goes to the server with the fewest, as simulated."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_replay(times, texts, [Target(url=url, format="pcm") for url in urls]))


async def _replay(times: Seconds, texts: Sequence[str], targets: list[Target]) -> list[Listening]:
    clock = asyncio.get_running_loop().time
    n_requests: Counter[int] = Counter()

    async def come(number: int, text: str, due_at: float) -> Listening:
        in_turn = [(number + shift) % len(targets) for shift in range(len(targets))]
        server = min(in_turn, key=lambda one: n_requests[one])
        n_requests[server] += 1
        try:
            return await listen(session, targets[server], text, due_at, clock)
        finally:
            n_requests[server] -= 1

    async with open_session(targets[0]) as session, asyncio.TaskGroup() as group:
        began_at = clock() + 0.5
        coming = []
        for number, (at, text) in enumerate(zip(times, texts, strict=True)):
            await asyncio.sleep(max(0.0, began_at + at - clock()))
            coming.append(group.create_task(come(number, text, began_at + float(at))))
    return [one.result() for one in coming]
