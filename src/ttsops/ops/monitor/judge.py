"""Is it worse than it may be? Pure arithmetic on figures and earlier runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from ttsops.ops.monitor.record import Figures, Run, Verdict
from ttsops.settings import MonitorSettings

LIVE_RTF = 1.0
"""An engine that says it is live must be faster than playback."""


def judge(
    figures: Figures, before: Sequence[Run], limits: MonitorSettings, *, is_live: bool, rounds: int = 1
) -> Verdict:
    """Against the limits, and against `before`: earlier runs of the same machine and set-up.

    Compared are the fastest repeats, step by step, because what else a machine does adds time and never takes
    it away. A machine that is slower than it was is allowed for as far as the engine computes on its CPU: if
    the fixed work takes a fifth longer and the engine's process computes half of the time, it may be a tenth
    slower. For an engine that waits, for a graphics card or a timer, nothing is allowed for.
    """
    reasons = list(_broken_limits(figures, limits, is_live=is_live))
    notes: list[str] = []
    slowdown = machine_slowdown = None
    known = [run.figures for run in before if run.figures.rtf_best]
    if figures.rtf_best is None:
        pass  # nothing was spoken, and that was told above
    elif len(known) < limits.min_runs:
        notes.append(f"{len(known)} earlier runs to compare with, {limits.min_runs} are needed")
    else:
        usual = statistics.median(one.rtf_best for one in known if one.rtf_best)
        machine_slowdown = figures.pace_seconds / statistics.median(one.pace_seconds for one in known) - 1
        raw = figures.rtf_best / usual
        slowdown = raw / _allowed_for(figures, machine_slowdown) - 1
        if slowdown > limits.max_slowdown:
            reasons.append(
                f"{slowdown:.1%} slower than the median of {len(known)} runs (best RTF "
                f"{figures.rtf_best:.4g}, was {usual:.4g}), limit {limits.max_slowdown:.0%}"
            )
        elif raw - 1 > limits.max_slowdown:
            notes.append(
                f"{raw - 1:.1%} slower, as is the machine: its fixed work took {machine_slowdown:.0%} longer"
            )
    return Verdict(
        word="regression" if reasons else "ok",
        reasons=tuple(reasons),
        notes=tuple(notes),
        slowdown=slowdown,
        machine_slowdown=machine_slowdown,
        compared_runs=len(known),
        rounds=rounds,
    )


def _allowed_for(figures: Figures, machine_slowdown: float) -> float:
    """Factor that a slower machine alone explains, at least 1."""
    return 1 + (figures.cpu_share or 0.0) * max(0.0, machine_slowdown)


def _broken_limits(figures: Figures, limits: MonitorSettings, *, is_live: bool) -> Iterator[str]:
    if figures.errors:
        codes = ", ".join(sorted(set(figures.errors)))
        yield f"{len(figures.errors)} of {figures.takes} utterances failed ({codes})"
    elif figures.rtf_mean is None:
        yield "nothing was spoken"
    max_mean = limits.max_rtf_mean or (LIVE_RTF if is_live else None)
    for name, value, limit in (
        ("mean RTF", figures.rtf_mean, max_mean),
        ("highest RTF", figures.rtf_max, limits.max_rtf),
        ("deviation of RTF", figures.rtf_deviation, limits.max_rtf_deviation),
        ("word error rate", figures.wer, limits.max_wer),
    ):
        if limit is not None and value is not None and value > limit:
            yield f"{name} is {value:.4g}, limit {limit:g}"
    if limits.min_mos is not None and figures.mos is not None and figures.mos < limits.min_mos:
        yield f"predicted opinion is {figures.mos:.2f}, at least {limits.min_mos:g} is wanted"
    if len(figures.sound_problems) > limits.max_sound_problems:
        yield (
            f"{len(figures.sound_problems)} faults in the audio, limit {limits.max_sound_problems}; "
            f"the first: {figures.sound_problems[0]}"
        )
