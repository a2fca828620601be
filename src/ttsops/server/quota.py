"""What one API key may use: so many utterances at once, so many per minute.

Knows nothing of HTTP. The wait it names is computed: when the next token drips in, or how long this key's own
utterances have taken of late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ttsops.errors import RateLimited
from ttsops.server.keys import ApiKey

SMOOTHING = 0.2
"""Weight of the latest utterance in the mean of how long they take."""


class TokenBucket:
    """Fills at an even rate up to one minute's worth; each utterance takes one token."""

    def __init__(self, per_minute: float, now: float) -> None:
        self.per_minute = per_minute
        self._tokens = max(1.0, per_minute)
        self._filled_at = now

    def take(self, now: float) -> float:
        """0 and a token is taken, or the seconds until there is one."""
        per_second = self.per_minute / 60.0
        grown = self._tokens + (now - self._filled_at) * per_second
        self._tokens = min(max(1.0, self.per_minute), grown)
        self._filled_at = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / per_second
        self._tokens -= 1.0
        return 0.0


class Quota:
    """One key's use so far."""

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = key
        self._bucket = _bucket(key, clock())
        self._began: dict[int, float] = {}
        self._n_begun = 0
        self._mean_seconds: float | None = None

    @property
    def key_name(self) -> str:
        """Whose it is."""
        return self._key.name

    def update(self, key: ApiKey) -> None:
        """The file changed: new limits, same use."""
        if key.rate_per_minute != self._key.rate_per_minute:
            self._bucket = _bucket(key, self._clock())
        self._key = key

    @contextmanager
    def utterance(self) -> Iterator[None]:
        """Hold a place while an utterance lasts. Raises `RateLimited`."""
        now = self._clock()
        limit = self._key.max_concurrency
        if limit is not None and len(self._began) >= limit:
            raise RateLimited(
                f"key `{self._key.name}` may have {limit} utterances at once and has them",
                hint="wait for one to end",
                retry_after=self._next_place_in(now),
            )
        if self._bucket is not None and (wait_seconds := self._bucket.take(now)):
            raise RateLimited(
                f"key `{self._key.name}` may have {self._key.rate_per_minute:g} utterances a minute",
                hint="send fewer, or ask the operator for more",
                retry_after=wait_seconds,
            )
        self._n_begun += 1
        number = self._n_begun
        self._began[number] = now
        try:
            yield
        finally:
            self._ended(self._clock() - self._began.pop(number))

    def _ended(self, seconds: float) -> None:
        mean = seconds if self._mean_seconds is None else self._mean_seconds
        self._mean_seconds = mean + SMOOTHING * (seconds - mean)

    def _next_place_in(self, now: float) -> float:
        """The one that began first, at the usual length; while none has ended, as long again as it lasts."""
        oldest_seconds = now - min(self._began.values())
        if self._mean_seconds is None:
            return oldest_seconds
        return max(0.0, self._mean_seconds - oldest_seconds)


class Quotas:
    """Every key's, made when the key is first used."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_name: dict[str, tuple[ApiKey, Quota]] = {}

    def of(self, key: ApiKey) -> Quota:
        """Its quota, with the limits the file has now."""
        known, quota = self._by_name.get(key.name, (key, None))
        if quota is None or known.sha256 != key.sha256:
            quota = Quota(key, self._clock)
        elif known != key:
            quota.update(key)
        self._by_name[key.name] = (key, quota)
        return quota


def _bucket(key: ApiKey, now: float) -> TokenBucket | None:
    return None if key.rate_per_minute is None else TokenBucket(key.rate_per_minute, now)
