"""A whole run: start the engine as it is served, speak, judge, and measure again what looks bad."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ttsops.ops.monitor.figures import score_audio, summarise
from ttsops.ops.monitor.history import append_run, comparable, read_history
from ttsops.ops.monitor.judge import judge
from ttsops.ops.monitor.measure import OnTake, Takes, speak_suite
from ttsops.ops.monitor.record import Run
from ttsops.ops.monitor.subject import subject_of
from ttsops.ops.monitor.suite import Suite
from ttsops.ops.random_weights import RandomWeights, with_random_weights
from ttsops.runtime import Runtime
from ttsops.settings import Settings

MAX_ROUNDS = 3
"""A regression is told when so many rounds in a row could not clear it up: a busy minute is no regression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run, and where it is kept."""

    history: Path
    suite: Suite
    is_new_baseline: bool = False
    with_predictions: bool = True
    """Opinions and words, where their packages are installed."""

    measured: Settings | None = None
    """What is really run, if that is not what is said: for those who test the monitor itself."""


def prepare_settings(settings: Settings, random_weights: RandomWeights = "") -> Settings:
    """The default engine of `settings` alone: nobody stands in for what is measured."""
    name = settings.engine
    setup = with_random_weights(name, settings.engine_settings(name), random_weights)
    runtime = msgspec.structs.replace(settings.runtime, failover="")
    return msgspec.structs.replace(settings, engines={name: setup}, runtime=runtime)


async def run_monitor(
    settings: Settings,
    plan: Plan,
    *,
    on_take: OnTake = lambda _: None,
    on_load: Callable[[str], None] = lambda _: None,
) -> Run:
    """Measure, judge, and add the line to the history.

    Raises what stops the engine from loading (then no line is added: nothing was measured), and `AudioError`
    if the history cannot be written.
    """
    subject = subject_of(settings, plan.suite)
    history = read_history(plan.history)
    before = () if plan.is_new_baseline else comparable(history.runs, subject, settings.monitor.compare_runs)
    takes = Takes()
    async with Runtime(plan.measured or settings) as runtime:
        is_live = runtime.service().card.is_realtime
        for rounds in range(1, MAX_ROUNDS + 1):
            await speak_suite(runtime, plan.suite, takes, on_take=on_take)
            verdict = judge(summarise(takes, ()), before, settings.monitor, is_live=is_live, rounds=rounds)
            if verdict.word == "ok" or takes_failed(takes):
                break
    scores = score_audio(takes, plan.suite, with_predictions=plan.with_predictions, on_load=on_load)
    figures = summarise(takes, scores)
    run = Run(
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        subject=subject,
        figures=figures,
        verdict=judge(figures, before, settings.monitor, is_live=is_live, rounds=rounds),
        is_new_baseline=plan.is_new_baseline,
    )
    append_run(plan.history, run)
    return run


def takes_failed(takes: Takes) -> bool:
    """Some take ended with an error: another round would not make it unsaid."""
    return any(one.error for one in takes.takes)
