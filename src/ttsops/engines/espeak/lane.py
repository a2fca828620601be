"""The lane: the one thread that is inside espeak-ng, phrase after phrase in the order asked for.

It does nothing unasked. Audio is there as soon as the library's callback has made it, long before the phrase
ends, and a phrase nobody wants any more is left within one callback.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from ttsops.engines.espeak.library import Delivery, Library, Word


@dataclass(slots=True)
class Heard:
    """Audio of a phrase, s16, and the words that begin in it."""

    samples: bytes
    words: list[Word]


class Phrase:
    """A text in the lane, and what has been heard of it. Only the lane writes it, under its lock."""

    def __init__(self, text: str, delivery: Delivery, *, has_end_pause: bool) -> None:
        self.text = text
        self.delivery = delivery
        self.has_end_pause = has_end_pause
        self.heard: deque[Heard] = deque()
        self.is_finished = False
        self.is_cancelled = False
        self.error: BaseException | None = None


class Lane:
    """See the module. One per engine; the library's own lock keeps two of them apart."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._waiting: deque[Phrase] = deque()
        self._is_stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="espeak-lane", daemon=True)
        self._thread.start()

    def submit(self, phrase: Phrase) -> None:
        """Speak it after those before it."""
        with self._changed:
            self._waiting.append(phrase)
            self._changed.notify_all()

    def cancel(self, phrase: Phrase) -> None:
        """Leave it: at once if it waits, within one callback if it is being spoken."""
        with self._changed:
            phrase.is_cancelled = True
            if phrase in self._waiting:
                self._waiting.remove(phrase)
                phrase.is_finished = True

    def take(self, phrase: Phrase, max_parts: int) -> tuple[list[Heard], bool]:
        """Wait until there is audio or the end; then what there is, and whether the phrase has ended with it.

        Raises what went wrong while it was spoken.
        """
        with self._changed:
            self._changed.wait_for(lambda: phrase.heard or phrase.is_finished)
            parts = [phrase.heard.popleft() for _ in range(min(max_parts, len(phrase.heard)))]
            is_ended = phrase.is_finished and not phrase.heard
        if phrase.error and is_ended:
            if not parts:
                raise phrase.error
            is_ended = False  # what was made before it is heard before it
        return parts, is_ended

    def stop(self) -> None:
        """End the thread; phrases in it are left."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while phrase := self._next():
            try:
                self._speak(phrase)
            except BaseException as e:  # the listener hears of it, the lane lives on
                phrase.error = e
            with self._changed:
                phrase.is_finished = True
                self._changed.notify_all()

    def _next(self) -> Phrase | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopped)
            return None if self._is_stopped else self._waiting.popleft()

    def _speak(self, phrase: Phrase) -> None:
        def keep(samples: bytes, words: list[Word]) -> bool:
            with self._changed:
                if samples or words:
                    phrase.heard.append(Heard(samples, words))
                    self._changed.notify_all()
                return not (phrase.is_cancelled or self._is_stopped)

        self._library.speak(phrase.text, phrase.delivery, keep, has_end_pause=phrase.has_end_pause)
