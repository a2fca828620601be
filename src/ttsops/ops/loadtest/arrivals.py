"""Who comes when. Decided before the first request, so that a slow server cannot slow its own test down."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ttsops.errors import InvalidValue
from ttsops.ops.loadtest.corpus import TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Either `rate` (open loop: people come whether the server copes or not) or `n_listeners` (closed)."""

    duration_seconds: float
    """Nobody comes later; those who came are heard out."""

    rate: float | None = None
    """Arrivals per second, on average."""

    n_listeners: int | None = None
    """Listeners at all times; each asks again when it has heard all."""

    max_streams: int | None = None
    """Open loop: this many at once at most; the others wait in the client, and their wait counts."""

    ramp_seconds: float = 1.0
    """Closed loop: the listeners come evenly spread over this time."""

    seed: int = 0
    texts: Sequence[str] = TEXTS

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.n_listeners is None):
            raise InvalidValue("give either a rate of arrivals or a number of listeners")
        for name in ("duration_seconds", "rate", "n_listeners", "max_streams"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InvalidValue(f"`{name}` is {value}, must be above 0", param=name)


def poisson_arrivals(rate: float, duration_seconds: float, rng: random.Random) -> list[float]:
    """Seconds from the start, ascending: independent arrivals with exponential times between them."""
    times = []
    at = rng.expovariate(rate)
    while at < duration_seconds:
        times.append(at)
        at += rng.expovariate(rate)
    return times
