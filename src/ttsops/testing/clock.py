"""Time that moves only when told to."""

from __future__ import annotations


class VirtualClock:
    """Call it for the time in seconds; `advance` it, or hand `sleep` to what would wait."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def __call__(self) -> float:
        """Now."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so much time pass; it never runs backwards."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} s")
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        """In place of `time.sleep`: the time passes at once."""
        self.advance(max(0.0, seconds))
