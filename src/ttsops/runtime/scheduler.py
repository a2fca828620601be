"""Who is stepped now: the utterances whose listeners would run dry first.

Pure arithmetic on a clock's reading. Knows nothing of engines, text or sockets, so that every rule is a table
test.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from operator import attrgetter
from typing import TypeVar

FILE_PATIENCE_SECONDS = 2.0
"""A file job has no listener; it is due this long after its last step: it takes what is left and still moves
on under load."""

URGENT_SECONDS = 0.5
"""Somebody who runs dry sooner than this makes the comfortable ones wait."""

COMFORT_SECONDS = 2.0
"""Audio in hand from which a listener can yield to an urgent one."""


class Turn:
    """The scheduling facts of one stream: when it is due, and whether it may be stepped at all."""

    __slots__ = ("due_at", "is_live", "unread_seconds", "waits_for_text", "window_seconds")

    def __init__(self, now: float, *, is_live: bool, window_seconds: float) -> None:
        self.is_live = is_live
        self.due_at = now
        """Live: the moment the listener's buffer runs dry. File: when its next turn is fair."""
        self.window_seconds = window_seconds
        self.unread_seconds = 0.0
        """Audio made and not yet read by the consumer."""
        self.waits_for_text = False

    @property
    def is_parked(self) -> bool:
        """The reader does not read: no more audio is made until it does, so memory is bounded."""
        return self.unread_seconds >= self.window_seconds

    @property
    def is_runnable(self) -> bool:
        """A step would make progress."""
        return not self.waits_for_text and self.unread_seconds < self.window_seconds

    def stepped(self, now: float, audio_seconds: float) -> None:
        """One step was taken and gave `audio_seconds` of audio, often none."""
        self.unread_seconds += audio_seconds
        if not self.is_live:
            self.due_at = now + FILE_PATIENCE_SECONDS
        elif audio_seconds:
            self.due_at = max(self.due_at, now) + audio_seconds

    def read(self, seconds: float) -> None:
        """The consumer took `seconds` of audio."""
        self.unread_seconds = max(0.0, self.unread_seconds - seconds)

    def resumed(self, now: float) -> None:
        """Text came after a pause: the listener waits from now, not since the pause began."""
        self.waits_for_text = False
        self.due_at = max(self.due_at, now)


T = TypeVar("T", bound=Turn)

_due_at = attrgetter("due_at")


def pick(turns: Iterable[T], now: float, max_batch: int) -> list[T]:
    """At most `max_batch` runnable turns, the earliest due first.

    When one of them is urgent, those with seconds in hand stay out of the step even where the batch has room:
    a smaller step is a shorter one, and the urgent listener hears its sound sooner.
    """
    batch = heapq.nsmallest(max_batch, (turn for turn in turns if turn.is_runnable), key=_due_at)
    if batch and batch[0].due_at < now + URGENT_SECONDS:
        comfortable_at = now + COMFORT_SECONDS
        return [turn for turn in batch if turn.due_at <= comfortable_at]
    return batch
