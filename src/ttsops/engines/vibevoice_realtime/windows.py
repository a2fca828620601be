"""When text is read and when speech is made: windows of five tokens, six frames after each. Pure.

Every window but the last has five tokens, and which ids it holds does not depend on when they arrived: a
window is given only when it is full or the text has ended. Once all text is read, windows go on with speech
alone. Text that is late holds the utterance between two windows; nothing is padded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

TEXT_WINDOW = 5
"""Tokens read before each window of speech; fixed in the published code."""

SPEECH_WINDOW = 6
"""Frames spoken after each window of text; fixed in the published code."""


class TextWindows:
    """The token ids of one context, as they arrive, and how far they are read."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()
        self._is_ended = False
        self._frame = 0
        self._is_window_read = False
        self.n_read = 0
        """Tokens given so far."""

    def feed(self, ids: Iterable[int]) -> None:
        """More ids, final ones."""
        self._waiting.extend(ids)

    def end(self) -> None:
        """No more ids will come."""
        self._is_ended = True

    @property
    def wants_ids(self) -> bool:
        """Whether the next window is not full yet."""
        return not self._is_ended and len(self._waiting) < TEXT_WINDOW

    @property
    def is_at_window(self) -> bool:
        """Whether the next frame is the first of a window whose text was not read yet."""
        return not self._is_window_read

    @property
    def is_all_read(self) -> bool:
        """The text has ended and the last of it was given."""
        return self._is_ended and not self._waiting

    @property
    def is_starved(self) -> bool:
        """Nothing can be done before `feed` or `end`."""
        return self.is_at_window and self.wants_ids

    def peek(self) -> tuple[int, ...]:
        """The ids to read before the next frame: five, fewer at the end of the text, none within a window."""
        if not self.is_at_window:
            return ()
        assert not self.is_starved
        return tuple(self._waiting)[:TEXT_WINDOW]

    def take(self) -> tuple[int, ...]:
        """What `peek` says, and it is read now."""
        ids = self.peek()
        for _ in ids:
            self._waiting.popleft()
        self._is_window_read = True
        self.n_read += len(ids)
        return ids

    def next_frame(self) -> None:
        """One frame was made."""
        self._frame = (self._frame + 1) % SPEECH_WINDOW
        self._is_window_read = self._frame > 0
