"""The smallest number of servers that keeps what was promised, in every one of several seeded runs.

One run is one draw of the traffic. Where all of `n_runs` kept the promise, a run keeps it with a probability
of at least 0.05 ** (1 / n_runs), at 95 % confidence: 0.86 for twenty.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.capacity.arrivals import Arrivals, Lengths
from benchmarks.capacity.figures import Figures, of_simulated
from benchmarks.capacity.simulate import Server, simulate

CONFIDENCE = 0.95

MOST_LISTENERS = 200
"""Of one server's web process, however fast its engine is: so many were measured (server_overhead.json)."""


@dataclass(frozen=True)
class Targets:
    """What is promised."""

    first_audio_p95: float
    """Seconds, at most."""

    refused_share: float = 0.0
    underrun_share: float = 0.0

    def keeps(self, figures: Figures) -> bool:
        """Whether a run kept it."""
        return (
            figures.first_audio_p95 <= self.first_audio_p95
            and figures.refused_share <= self.refused_share
            and figures.underrun_share <= self.underrun_share
        )


@dataclass(frozen=True)
class Traffic:
    """What comes."""

    arrivals: Arrivals
    lengths: Lengths
    duration_seconds: float

    @property
    def mean_listeners(self) -> float:
        """How many listen at a time, on average, if each hears everything without a pause."""
        return self.arrivals.mean_rate * self.lengths.mean_seconds

    @property
    def peak_listeners(self) -> float:
        """The same, in the busiest time."""
        return self.arrivals.peak_rate * self.lengths.mean_seconds

    def draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and seconds of speech [n] of one run."""
        rng = np.random.default_rng(seed)
        times = self.arrivals.times(self.duration_seconds, rng)
        return times, self.lengths.draw(len(times), rng)


@dataclass(frozen=True)
class Size:
    """An answer."""

    n_servers: int
    worst: Figures
    """Of all runs with so many, the worst of each figure."""

    n_runs: int
    too_few: Figures | None
    """What the first run that failed came to with one server less; None if there is none less."""

    listeners_per_server: float
    """On average; what is paid for is shared by so many."""

    @property
    def keeps_probability(self) -> float:
        """At least so often a run keeps the promise, at 95 % confidence."""
        return (1 - CONFIDENCE) ** (1 / self.n_runs)


def size(
    traffic: Traffic,
    server: Server,
    targets: Targets,
    *,
    n_runs: int = 20,
    most: int = 100,
    on_try: Callable[[int, Figures], None] = lambda n, figures: None,
) -> Size:
    """From as many as could be enough upwards. Raises `ValueError` if `most` are not."""
    fastest = max(server.steps.speed(n) for n in range(1, min(server.max_streams, server.max_batch) + 1))
    first = max(
        math.ceil(traffic.mean_listeners / fastest), math.ceil(traffic.peak_listeners / MOST_LISTENERS)
    )
    too_few: Figures | None = None
    for n in range(max(1, first), most + 1):
        runs: list[Figures] = []
        for seed in range(n_runs):
            runs.append(of_simulated(simulate(*traffic.draw(seed), [server] * n)))
            if not targets.keeps(runs[-1]):
                break
        on_try(n, runs[-1])
        if targets.keeps(runs[-1]):
            return Size(n, _worst(runs), n_runs, too_few, traffic.mean_listeners / n)
        too_few = runs[-1]
    raise ValueError(f"{most} servers are not enough: {too_few}")


def _worst(runs: list[Figures]) -> Figures:
    return Figures(
        requests=min(one.requests for one in runs),
        refused_share=max(one.refused_share for one in runs),
        first_audio_p50=max(one.first_audio_p50 for one in runs),
        first_audio_p95=max(one.first_audio_p95 for one in runs),
        underrun_share=max(one.underrun_share for one in runs),
    )
