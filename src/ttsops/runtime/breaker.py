"""A circuit breaker: an engine that keeps failing is not asked again for a while.

Counts failures in a row; at the limit it opens, answers at once, and lets one utterance through when the
time is up. That one decides: closed again, or open once more. Knows nothing of engines; time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable


class Breaker:
    """Closed, open, or half-open (one trial under way)."""

    def __init__(self, *, failures: int, open_seconds: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._n_failures = 0
        self._opened_at: float | None = None
        self._trial_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Opened, and not yet closed by a success."""
        return self._opened_at is not None

    def retry_after(self) -> float:
        """Seconds until the next utterance may pass; 0 if it may now."""
        if self._opened_at is None:
            return 0.0
        # A trial that never reports (its listener hung up) must not keep everyone out for ever.
        since = self._opened_at if self._trial_at is None else self._trial_at
        return max(0.0, since + self._open_seconds - self._clock())

    def enter(self) -> bool:
        """May an utterance pass now? In the half-open state the first one may, as the trial."""
        if self._opened_at is None:
            return True
        if self.retry_after() > 0:
            return False
        self._trial_at = self._clock()
        return True

    def succeeded(self) -> None:
        """An utterance gave audio to its end."""
        self._n_failures = 0
        self._opened_at = self._trial_at = None

    def failed(self) -> bool:
        """An utterance failed through the engine's fault. True when this opened the breaker (again)."""
        self._n_failures += 1
        if self._n_failures < self._limit:
            return False
        self._opened_at = self._clock()
        self._trial_at = None
        return True
