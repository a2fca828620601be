"""Who may come in: so many utterances at once, so many waiting, and an honest word to the rest.

Places are given in order of arrival. `Retry-After` is computed from how fast places came free of late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ttsops.errors import Overloaded

PACE_SAMPLES = 32


class Pace:
    """Seconds between places coming free, measured while all were taken."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=PACE_SAMPLES)
        self._last_at: float | None = None

    def freed(self, now: float, *, was_full: bool) -> None:
        """A place came free."""
        if self._last_at is not None and was_full:
            self._gaps.append(now - self._last_at)
        self._last_at = now if was_full else None

    def started_full(self, now: float) -> None:
        """The last place was just taken: from here on a gap can be measured."""
        self._last_at = now

    def seconds(self, now: float) -> float:
        """Mean gap; while nothing has come free yet, the time waited for it so far: all that is known."""
        if self._gaps:
            return sum(self._gaps) / len(self._gaps)
        return now - self._last_at if self._last_at is not None else 0.0


class Admission:
    """Places for live utterances, and a bounded queue before them."""

    def __init__(
        self,
        *,
        capacity: int,
        max_queue: int,
        max_wait_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.capacity = capacity
        self._max_queue = max_queue
        self._max_wait_seconds = max_wait_seconds
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._pace = Pace()
        self.n_live = 0

    @property
    def n_queued(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    def retry_after(self) -> float:
        """When the next caller could expect a place: those ahead of it, at the pace places come free."""
        return max(1.0, (self.n_queued + 1) * self._pace.seconds(self._clock()))

    async def enter(self) -> None:
        """Take a place, waiting in line if need be. Raises `Overloaded`. Every `enter` needs a `leave`."""
        if self.n_live < self.capacity and not self._waiting:
            self._take()
            return
        if self.n_queued >= self._max_queue:
            raise Overloaded(
                f"all {self.capacity} places are taken and {self.n_queued} utterances wait already",
                hint="try again later, or raise `runtime.max_queue`",
                retry_after=self.retry_after(),
            )
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._max_wait_seconds):
                await place
        except BaseException as error:
            self._give_up(place)
            if not isinstance(error, TimeoutError):
                raise
            raise Overloaded(
                f"no place came free within {self._max_wait_seconds:g} s",
                hint="try again later",
                retry_after=self.retry_after(),
            ) from None

    def leave(self) -> None:
        """Give a place back; the first in line gets it."""
        now = self._clock()
        self._pace.freed(now, was_full=self.n_live >= self.capacity)
        self.n_live -= 1
        self._admit()

    def resize(self, capacity: int) -> None:
        """The worker said how many it can hold."""
        self.capacity = capacity
        self._admit()

    def refuse_waiting(self, error: Exception) -> None:
        """Everybody in line is answered at once: the engine is gone or the server stops."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_exception(error)

    def _give_up(self, place: asyncio.Future[None]) -> None:
        """Leave the line; a place given in the very moment of giving up is passed on."""
        if place in self._waiting:
            self._waiting.remove(place)
        elif place.done() and not place.cancelled() and place.exception() is None:
            self.leave()

    def _admit(self) -> None:
        while self._waiting and self.n_live < self.capacity:
            place = self._waiting.popleft()
            if not place.done():
                self._take()
                place.set_result(None)

    def _take(self) -> None:
        self.n_live += 1
        if self.n_live == self.capacity:
            self._pace.started_full(self._clock())
