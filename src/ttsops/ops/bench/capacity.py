"""Which levels are measured: twice as many listeners each time, then halving what lies between. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ttsops.ops.bench.level import Level

RESOLUTION = 16
"""The search ends when the answer is known to a sixteenth, or to one listener."""

Measure = Callable[[int], Awaitable[Level]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    levels: tuple[Level, ...]
    """In the order in which they were measured."""

    capacity: int
    """The most listeners that all heard everything in time; 0 if not even the first did."""

    is_limited: bool
    """More were not tried: so many are the most that the engine holds, or that were asked for."""


async def climb(measure: Measure, *, first: int, limit: int) -> Found:
    """From `first` listeners to twice as many, again and again, until somebody runs dry."""
    return await _Search(measure).climb(first, limit)


async def find_capacity(measure: Measure, *, first: int, limit: int) -> Found:
    """Climb, then halve the distance between what was kept up with and what was not."""
    search = _Search(measure)
    found = await search.climb(first, limit)
    if found.is_limited:
        return found
    low, high = found.capacity, search.lowest_failed
    while high - low > max(1, low // RESOLUTION):
        middle = (low + high) // 2
        if await search.keeps_up(middle):
            low = middle
        else:
            high = middle
    return Found(tuple(search.levels), low, is_limited=False)


class _Search:
    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self.levels: list[Level] = []
        self.lowest_failed = 0

    async def climb(self, first: int, limit: int) -> Found:
        kept, n = 0, min(first, limit)
        while await self.keeps_up(n):
            kept = n
            if n == limit:
                return Found(tuple(self.levels), kept, is_limited=True)
            n = min(2 * n, limit)
        self.lowest_failed = n
        return Found(tuple(self.levels), kept, is_limited=False)

    async def keeps_up(self, n: int) -> bool:
        """Whether one of two tries succeeds: a machine has other things to do now and then."""
        for _ in range(2):
            level = await self._measure(n)
            self.levels.append(level)
            if level.is_kept_up:
                return True
        return False
