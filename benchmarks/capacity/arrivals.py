"""Who comes when, and how much they want to hear. Seeded: the same generator gives the same traffic.

Times are seconds from the start, rates are arrivals per second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ttsops.ops.loadtest import TEXTS

Seconds = npt.NDArray[np.float64]


class Arrivals(Protocol):
    """A process of people who come."""

    @property
    def mean_rate(self) -> float:
        """Arrivals per second over a long time."""
        ...

    @property
    def peak_rate(self) -> float:
        """Arrivals per second in the busiest time."""
        ...

    def times(self, duration_seconds: float, rng: np.random.Generator) -> Seconds:
        """Times [n], ascending, below `duration_seconds`."""
        ...


@dataclass(frozen=True)
class Poisson:
    """People who do not know of each other, as many at any time."""

    rate: float

    @property
    def mean_rate(self) -> float:
        return self.rate

    @property
    def peak_rate(self) -> float:
        return self.rate

    def times(self, duration_seconds: float, rng: np.random.Generator) -> Seconds:
        """A number of them, each at a random time."""
        n = rng.poisson(self.rate * duration_seconds)
        return np.sort(rng.uniform(0, duration_seconds, n))


@dataclass(frozen=True)
class Day:
    """A sine: `peak` times the mean rate at the busiest moment, as few below it at the quietest."""

    mean_rate: float
    peak: float = 1.8
    """1 (none) to 2 (nobody comes at the quietest moment)."""

    period_seconds: float = 86_400.0

    @property
    def peak_rate(self) -> float:
        return self.mean_rate * self.peak

    def times(self, duration_seconds: float, rng: np.random.Generator) -> Seconds:
        """Those of the peak's rate, thinned to the rate of their moment."""
        times = Poisson(self.peak_rate).times(duration_seconds, rng)
        share = (1 - (self.peak - 1) * np.cos(2 * np.pi * times / self.period_seconds)) / self.peak
        return times[rng.uniform(size=len(times)) < share]


@dataclass(frozen=True)
class Bursts:
    """Quiet and busy spells of random length in turns (a Markov-modulated Poisson process)."""

    quiet_rate: float
    busy_rate: float
    quiet_seconds: float
    """Mean length of a quiet spell."""

    busy_seconds: float

    @property
    def mean_rate(self) -> float:
        weighted = self.quiet_rate * self.quiet_seconds + self.busy_rate * self.busy_seconds
        return weighted / (self.quiet_seconds + self.busy_seconds)

    @property
    def peak_rate(self) -> float:
        return self.busy_rate

    def times(self, duration_seconds: float, rng: np.random.Generator) -> Seconds:
        """Spell after spell; it begins in one of them as often as time is spent in it."""
        spells = [(self.quiet_rate, self.quiet_seconds), (self.busy_rate, self.busy_seconds)]
        is_busy = int(rng.uniform() < self.busy_seconds / (self.quiet_seconds + self.busy_seconds))
        at, parts = 0.0, []
        while at < duration_seconds:
            rate, mean_seconds = spells[is_busy]
            length = min(rng.exponential(mean_seconds), duration_seconds - at)
            parts.append(at + Poisson(rate).times(length, rng))
            at, is_busy = at + length, 1 - is_busy
        return np.concatenate(parts)


class Lengths(Protocol):
    """How much speech is wanted."""

    @property
    def mean_seconds(self) -> float:
        """Seconds of speech of one request, on average."""
        ...

    def draw(self, n: int, rng: np.random.Generator) -> Seconds:
        """Seconds of speech [n]."""
        ...


@dataclass(frozen=True)
class OfTexts:
    """The load test's texts, from an answer to a paragraph, each as likely."""

    seconds_per_char: float = 0.06
    texts: Sequence[str] = TEXTS

    @property
    def seconds(self) -> Seconds:
        """Of each text."""
        return np.array([len(text) for text in self.texts]) * self.seconds_per_char

    @property
    def mean_seconds(self) -> float:
        return float(self.seconds.mean())

    def draw(self, n: int, rng: np.random.Generator) -> Seconds:
        return rng.choice(self.seconds, n)


@dataclass(frozen=True)
class LogNormal:
    """Many short ones and a few long ones: nine in ten within a factor of exp(1.64 * sigma) of the median."""

    mean_seconds: float
    sigma: float = 0.8

    def draw(self, n: int, rng: np.random.Generator) -> Seconds:
        return rng.lognormal(math.log(self.mean_seconds) - self.sigma**2 / 2, self.sigma, n)
