"""One listener: what reaches its ear, and when.

Times are readings of one clock, in seconds. Knows nothing of HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ttsops.audio.checks import SILENCE_DBFS, from_dbfs
from ttsops.observe.figures import rtf
from ttsops.runtime.playout import Playout
from ttsops.speech import Samples

_AUDIBLE = np.float32(from_dbfs(SILENCE_DBFS))
_SHORTEST_STALL = 0.001
"""Seconds. Below, it is the granularity of timers and no listener's stall."""


@dataclass(slots=True)
class Listening:
    """One request and what became of it."""

    due_at: float
    """When it should have been sent: latencies count from here, so that a late client hides nothing."""

    n_chars: int = 0
    sent_at: float = 0.0
    first_audio_at: float | None = None
    """The first audio byte was there; a WAV's header is none."""

    audible_at: float | None = None
    """A player that starts with the first byte would have sounded: leading silence is waited for."""

    ended_at: float = 0.0
    audio_seconds: float = 0.0
    underruns: int = 0
    underrun_seconds: float = 0.0
    gaps: list[float] = field(default_factory=list)
    """Seconds between one arrival of audio and the next."""

    status: int | None = None
    """Of HTTP; None if there was no answer."""

    error: str = ""
    """A code, or empty if all of it was heard."""

    @property
    def ttfb_seconds(self) -> float | None:
        """Due → first audio byte."""
        return None if self.first_audio_at is None else self.first_audio_at - self.due_at

    @property
    def ttfa_seconds(self) -> float | None:
        """Due → first audible sample in the player."""
        return None if self.audible_at is None else self.audible_at - self.due_at

    @property
    def rtf(self) -> float | None:
        """Response time / audio time, the server's queue included."""
        return rtf(self.ended_at - self.sent_at, self.audio_seconds)


class Ear:
    """Feeds a simulated player and writes down what it would do."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._playout = Playout()
        self._last_at: float | None = None

    def hear(self, now: float, samples: Samples, sample_rate: int) -> None:
        """These samples [N] arrived now; N > 0."""
        heard = self._listening
        if heard.first_audio_at is None:
            heard.first_audio_at = now
        if self._last_at is not None:
            heard.gaps.append(now - self._last_at)
        self._last_at = now
        if heard.audible_at is None:
            audible = np.flatnonzero(np.abs(samples) >= _AUDIBLE)
            if len(audible):
                plays_at = now + self._playout.buffered_seconds(now)
                heard.audible_at = plays_at + float(audible[0]) / sample_rate
        seconds = len(samples) / sample_rate
        self._count_stall(self._playout.heard(now, seconds))
        heard.audio_seconds += seconds

    def hear_nothing(self, now: float) -> None:
        """Nobody waits for more after now: a stall that has not ended is one, too."""
        if self._last_at is not None:
            self._count_stall(self._playout.heard(now, 0.0))

    def seconds_in_hand(self, now: float) -> float:
        """Audio that has arrived and was not played yet."""
        return self._playout.buffered_seconds(now)

    def _count_stall(self, seconds: float) -> None:
        if seconds > _SHORTEST_STALL:
            self._listening.underruns += 1
            self._listening.underrun_seconds += seconds
