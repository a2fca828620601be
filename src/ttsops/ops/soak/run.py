"""A whole soak: load from outside, a look at the processes every second or so, the verdict."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import psutil

from ttsops.ops.loadtest import Listening, Plan, Report, Target, run_load, summarise
from ttsops.ops.loadtest.client import listen, open_session
from ttsops.ops.soak.judge import Verdict, judge
from ttsops.ops.soak.processes import Sample, sample

MIN_SAMPLES = 120
MAX_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Soak:
    """What a soak came to."""

    verdict: Verdict
    load: Report
    samples: tuple[Sample, ...]


OnSample = Callable[[Sample], None]


async def run_soak(
    plan: Plan,
    target: Target,
    server: psutil.Process,
    *,
    tolerance_bytes: float,
    on_sample: OnSample = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Soak:
    """Carry out `plan` against `target`, whose processes are those of `server`; `stop` ends it early.

    Raises `InvalidValue` if the server ends meanwhile.
    """
    samples: list[Sample] = []
    n_ended = 0

    def on_result(_: Listening) -> None:
        nonlocal n_ended
        n_ended += 1

    async with open_session(target) as session:
        clock = asyncio.get_running_loop().time
        began_at = clock()

        async def watch() -> None:
            pause = min(MAX_PAUSE_SECONDS, plan.duration_seconds / MIN_SAMPLES)
            while True:
                # On a thread: the page table of a large process takes the system milliseconds to read.
                samples.append(await asyncio.to_thread(sample, server, clock() - began_at, n_ended))
                on_sample(samples[-1])
                await asyncio.sleep(pause)

        watching = asyncio.create_task(watch())
        ask = partial(listen, session, target, clock=clock)
        load = asyncio.create_task(run_load(plan, ask, on_result=on_result, stop=stop))
        try:
            await asyncio.wait({watching, load}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()  # the server is gone
            started_at, results = await load
        finally:
            for task in (watching, load):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
    failed = sum(bool(one.error) for one in results)
    return Soak(
        judge(
            samples,
            tolerance_bytes=tolerance_bytes,
            failed_share=failed / len(results) if results else 0.0,
        ),
        summarise(started_at, results),
        tuple(samples),
    )
