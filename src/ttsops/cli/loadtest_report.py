"""A load test's report for people: the figures, and a plot with a row for each second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ttsops.ops.loadtest import Report, Second, Spread

MAX_ROWS = 60
BAR_WIDTH = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render(report: Report) -> RenderableType:
    """Everything, top to bottom."""
    parts: list[RenderableType] = [_figures(report), Text("\n".join(_sentences(report)))]
    if report.per_second:
        parts += [Text(), _plot(report.per_second)]
    return Group(*parts)


def _figures(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("mean", "p50", "p95", "p99", "max"):
        table.add_column(name, justify="right")
    for name, spread in (
        ("TTFB", report.ttfb),
        ("TTFA (audible)", report.ttfa),
        ("longest gap", report.longest_gap),
        ("sent late", report.late_sends),
    ):
        if spread:
            table.add_row(name, *(_seconds(value) for value in _values(spread)))
    if report.rtf:
        table.add_row("RTF", *(f"{value:.3f}" for value in _values(report.rtf)))
    return table


def _values(spread: Spread) -> tuple[float, ...]:
    return spread.mean, spread.p50, spread.p95, spread.p99, spread.max


def _sentences(report: Report) -> Iterator[str]:
    share = report.ok / report.requests if report.requests else 0.0
    yield ""
    yield (
        f"{report.ok} of {report.requests} requests were heard whole ({share:.1%}) "
        f"in {report.wall_seconds:.1f} s: {report.requests_per_second:.2f}/s, "
        f"{report.audio_per_second:.1f} s of speech per second, {report.peak_streams} streams at the peak"
    )
    yield (
        f"underruns: {report.underruns} in {report.streams_with_underruns} streams, "
        f"{report.underrun_seconds:.2f} s of stalls"
    )
    if report.errors:
        counted = ", ".join(f"{count} {code}" for code, count in report.errors.items())
        yield f"errors: {counted}; {report.busy_share:.1%} of all were answered 429"


def _plot(seconds: Sequence[Second]) -> Table:
    rows = list(_grouped(seconds))
    longest = max((row.ttfb_max or 0.0 for row in rows), default=0.0)
    table = Table(box=None, pad_edge=False)
    for name in ("second", "due", "live", "errors", "underruns", "TTFB p50", "max"):
        table.add_column(name, justify="right")
    table.add_column(f"TTFB, {_seconds(longest)} wide", min_width=BAR_WIDTH + 1, no_wrap=True)
    for row in rows:
        table.add_row(
            str(row.second),
            str(row.due),
            str(row.live),
            str(row.errors or ""),
            str(row.underruns or ""),
            "" if row.ttfb_p50 is None else _seconds(row.ttfb_p50),
            "" if row.ttfb_max is None else _seconds(row.ttfb_max),
            _bar(row.ttfb_p50, row.ttfb_max, longest),
        )
    return table


def _grouped(seconds: Sequence[Second]) -> Iterator[Second]:
    """At most `MAX_ROWS`: a long run has several seconds in a row, of which the worst latencies are shown."""
    n_together = math.ceil(len(seconds) / MAX_ROWS)
    for start in range(0, len(seconds), n_together):
        group = seconds[start : start + n_together]
        yield replace(
            group[0],
            due=sum(one.due for one in group),
            ended=sum(one.ended for one in group),
            live=max(one.live for one in group),
            errors=sum(one.errors for one in group),
            ttfb_p50=max((one.ttfb_p50 for one in group if one.ttfb_p50 is not None), default=None),
            ttfb_max=max((one.ttfb_max for one in group if one.ttfb_max is not None), default=None),
            underruns=sum(one.underruns for one in group),
        )


def _bar(p50: float | None, longest: float | None, full: float) -> str:
    """A solid bar to the median, dots from there to the maximum."""
    if p50 is None or longest is None or not full:
        return ""
    eighths = round(p50 / full * BAR_WIDTH * 8)
    solid = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return solid + "·" * (round(longest / full * BAR_WIDTH) - len(solid))


def _seconds(value: float) -> str:
    """Milliseconds below ten seconds, as latencies are talked about."""
    return f"{1000 * value:.0f} ms" if value < 10 else f"{value:.1f} s"
