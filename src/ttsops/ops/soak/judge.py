"""Leak, no leak, or not enough data. Pure arithmetic on samples."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ttsops.ops.soak.processes import Sample
from ttsops.ops.soak.slope import Slope, theil_sen

WARM_UP_SHARE = 0.25
"""Of the samples: caches fill, pools grow to their size, and none of that is a leak."""

MAX_BLOCKS = 24
MIN_BLOCKS = 8
MIN_PER_BLOCK = 2
MIN_REQUESTS = 30
"""After the warm-up."""

MAX_FAILED_SHARE = 0.5

Word = Literal["leak", "no leak", "not enough data"]


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one process, or of all of them."""

    name: str
    bytes_at_first: int
    """Median of the first block after the warm-up."""

    bytes_at_last: int
    per_request: Slope | None
    """Bytes that every request leaves behind; None if there are too few samples."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the samples say."""

    word: Word
    reason: str
    total: Growth | None
    processes: tuple[Growth, ...]
    samples: int
    """After the warm-up, or after the last time that a process was replaced."""

    requests: int
    restarts: int
    """How often a process took the place of another."""


def judge(samples: Sequence[Sample], *, tolerance_bytes: float, failed_share: float = 0.0) -> Verdict:
    """A leak if surely more than `tolerance_bytes` stay per request, no leak if surely fewer do.

    "Surely": the whole 95 % interval of the slope is on that side. The slope is taken over requests that
    ended, of the medians of up to 24 blocks of samples, after a warm-up of a quarter of them.
    """
    steady, restarts = _since_last_restart(samples)
    settled = steady[int(len(steady) * WARM_UP_SHARE) :]
    requests = settled[-1].requests - settled[0].requests if settled else 0
    pids = list(settled[0].bytes_by_pid) if settled else []
    total = _growth("all processes", settled, [one.total for one in settled])
    processes = tuple(
        _growth(
            "server" if number == 0 else f"worker {pid}",
            settled,
            [one.bytes_by_pid.get(pid, 0) for one in settled],
        )
        for number, pid in enumerate(pids)
    )

    def verdict(word: Word, reason: str) -> Verdict:
        return Verdict(word, reason, total if settled else None, processes, len(settled), requests, restarts)

    if failed_share > MAX_FAILED_SHARE:
        return verdict("not enough data", f"{failed_share:.0%} of the requests failed")
    if not settled or total.per_request is None or requests < MIN_REQUESTS:
        return verdict(
            "not enough data",
            f"{len(settled)} samples over {requests} requests after the warm-up; at least "
            f"{MIN_BLOCKS * MIN_PER_BLOCK} over {MIN_REQUESTS} are needed",
        )
    slope = total.per_request
    told = (
        f"{_kib(slope.value)} per request stay (95 % sure: {_kib(slope.low)} to {_kib(slope.high)}), "
        f"tolerated are {_kib(tolerance_bytes)}"
    )
    if slope.low > tolerance_bytes:
        return verdict("leak", told)
    if slope.high > tolerance_bytes:
        return verdict("not enough data", told)
    return verdict("no leak", told)


def _since_last_restart(samples: Sequence[Sample]) -> tuple[list[Sample], int]:
    steady: list[Sample] = []
    restarts = 0
    for one in samples:
        if steady and set(one.bytes_by_pid) != set(steady[-1].bytes_by_pid):
            restarts += bool(set(steady[-1].bytes_by_pid) - set(one.bytes_by_pid))
            steady = []
        steady.append(one)
    return steady, restarts


def _growth(name: str, samples: Sequence[Sample], values: Sequence[int]) -> Growth:
    blocks = _blocks(
        [(float(one.requests), float(value)) for one, value in zip(samples, values, strict=True)]
    )
    if not blocks:
        return Growth(name, *(values[0], values[-1]) if values else (0, 0), None)
    return Growth(name, round(blocks[0][1]), round(blocks[-1][1]), theil_sen(blocks))


def _blocks(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Medians of equal numbers of neighbours; none if there are too few for a slope."""
    n_blocks = min(MAX_BLOCKS, len(points) // MIN_PER_BLOCK)
    if n_blocks < MIN_BLOCKS:
        return []
    bounds = [round(number * len(points) / n_blocks) for number in range(n_blocks + 1)]
    parts = [points[first:last] for first, last in itertools.pairwise(bounds)]
    return [(statistics.median(x for x, _ in part), statistics.median(y for _, y in part)) for part in parts]


def _kib(n_bytes: float) -> str:
    return f"{n_bytes / 1024:.1f} KiB"
