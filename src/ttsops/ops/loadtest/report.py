"""From what each listener heard to the figures of a run, and the verdict on them. Pure arithmetic."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ttsops.ops.loadtest.listener import Listening

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure is spread over the requests that have it, in the figure's own unit."""

    n: int
    mean: float
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a run. Latencies belong to the second in which a request was due."""

    second: int
    due: int
    ended: int
    live: int
    """Requests sent and not ended, at the second's end."""

    errors: int
    """Of those that ended."""

    ttfb_p50: float | None
    ttfb_max: float | None
    underruns: int
    """Of those that ended."""


@dataclass(frozen=True, slots=True)
class Report:
    """A run. Times are seconds."""

    wall_seconds: float
    """Start → the last listener heard all."""

    requests: int
    ok: int
    errors: dict[str, int]
    """Code → how many."""

    busy_share: float
    """0 to 1: answered 429."""

    requests_per_second: float
    """Ended well, per second of the run."""

    audio_seconds: float
    audio_per_second: float
    """Seconds of speech heard per second of the run: how many listeners the server kept pace with."""

    peak_streams: int
    ttfb: Spread | None
    """Due → first audio byte."""

    ttfa: Spread | None
    """Due → first audible sample: leading silence is waited for."""

    rtf: Spread | None
    """Response time / audio time of each request."""

    longest_gap: Spread | None
    """The longest wait of each listener between two arrivals of audio."""

    underruns: int
    underrun_seconds: float
    streams_with_underruns: int
    late_sends: Spread | None
    """Due → sent: not near 0 means that this client is the bottleneck, or that its cap was reached."""

    per_second: tuple[Second, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the figures must keep to; None for no limit."""

    ttfb_p99: float | None = None
    ttfa_p99: float | None = None
    underruns: int | None = None
    errors: int | None = None


def summarise(started_at: float, results: Sequence[Listening]) -> Report:
    """The figures of a run that began at `started_at`. Latencies are those of requests that ended well."""
    ok = [one for one in results if not one.error]
    wall = max((one.ended_at for one in results), default=started_at) - started_at
    audio = sum(one.audio_seconds for one in results)
    return Report(
        wall_seconds=wall,
        requests=len(results),
        ok=len(ok),
        errors=dict(Counter(one.error for one in results if one.error).most_common()),
        busy_share=_share(sum(one.status == TOO_MANY_REQUESTS for one in results), len(results)),
        requests_per_second=_share(len(ok), wall),
        audio_seconds=audio,
        audio_per_second=_share(audio, wall),
        peak_streams=_peak(results),
        ttfb=spread(one.ttfb_seconds for one in ok),
        ttfa=spread(one.ttfa_seconds for one in ok),
        rtf=spread(one.rtf for one in ok),
        longest_gap=spread(max(one.gaps, default=None) for one in ok),
        underruns=sum(one.underruns for one in results),
        underrun_seconds=sum(one.underrun_seconds for one in results),
        streams_with_underruns=sum(one.underruns > 0 for one in results),
        late_sends=spread(one.sent_at - one.due_at for one in results),
        per_second=_timeline(started_at, wall, results),
    )


def broken_limits(report: Report, limits: Limits) -> list[str]:
    """A sentence for each limit that the run did not keep; where nothing was heard, no latency is kept."""
    broken = []
    for name, spread_, limit in (
        ("TTFB p99", report.ttfb, limits.ttfb_p99),
        ("TTFA p99", report.ttfa, limits.ttfa_p99),
    ):
        if limit is not None and (spread_ is None or spread_.p99 > limit):
            was = "not measured" if spread_ is None else f"{spread_.p99:.3f} s"
            broken.append(f"{name} is {was}, limit {limit:g} s")
    n_errors = report.requests - report.ok
    if limits.underruns is not None and report.underruns > limits.underruns:
        broken.append(f"{report.underruns} underruns, limit {limits.underruns}")
    if limits.errors is not None and n_errors > limits.errors:
        broken.append(f"{n_errors} errors, limit {limits.errors}")
    return broken


def spread(values: Iterable[float | None]) -> Spread | None:
    """Of the values that are there; None if none is."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return Spread(
        n=len(known),
        mean=math.fsum(known) / len(known),
        p50=percentile(known, 50),
        p95=percentile(known, 95),
        p99=percentile(known, 99),
        max=known[-1],
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least value that `percent` of the ascending values do not exceed: one that was really measured."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _peak(results: Sequence[Listening]) -> int:
    # An end before a start of the same moment: a listener who asks again is one listener.
    changes = sorted([(one.sent_at, 1) for one in results] + [(one.ended_at, -1) for one in results])
    live = peak = 0
    for _, change in changes:
        live += change
        peak = max(peak, live)
    return peak


def _timeline(started_at: float, wall: float, results: Sequence[Listening]) -> tuple[Second, ...]:
    due: defaultdict[int, list[Listening]] = defaultdict(list)
    ended: defaultdict[int, list[Listening]] = defaultdict(list)
    sent: Counter[int] = Counter()
    for one in results:
        due[int(one.due_at - started_at)].append(one)
        sent[int(one.sent_at - started_at)] += 1
        ended[int(one.ended_at - started_at)].append(one)
    live = 0
    timeline = []
    for second in range(int(wall) + 1 if results else 0):
        live += sent[second] - len(ended[second])
        timeline.append(_second(second, live, due[second], ended[second]))
    return tuple(timeline)


def _second(second: int, live: int, due: Sequence[Listening], ended: Sequence[Listening]) -> Second:
    ttfb = spread(one.ttfb_seconds for one in due if not one.error)
    return Second(
        second=second,
        due=len(due),
        ended=len(ended),
        live=live,
        errors=sum(bool(one.error) for one in ended),
        ttfb_p50=ttfb.p50 if ttfb else None,
        ttfb_max=ttfb.max if ttfb else None,
        underruns=sum(one.underruns for one in ended),
    )
