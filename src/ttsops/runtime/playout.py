"""A simulated player: what a listener would have heard who plays at normal pace from the first sound on.

Fed with every piece of audio as it is handed on. Audio that comes after the listener ran dry is an underrun,
unless the text itself came late: then nothing could be spoken, and the pause is the writer's.
"""

from __future__ import annotations


class Playout:
    """One listener. Times are readings of one clock, in seconds."""

    __slots__ = ("_dry_at",)

    def __init__(self) -> None:
        self._dry_at: float | None = None

    def buffered_seconds(self, now: float) -> float:
        """Audio in the listener's hand."""
        return 0.0 if self._dry_at is None else max(0.0, self._dry_at - now)

    def heard(self, now: float, seconds: float, *, is_late_text: bool = False) -> float:
        """`seconds` of audio reached the listener at `now`; for how long the listener had run dry before."""
        if self._dry_at is None:
            self._dry_at = now
        stall_seconds = max(0.0, now - self._dry_at)
        self._dry_at = max(self._dry_at, now) + seconds
        return 0.0 if is_late_text else stall_seconds
