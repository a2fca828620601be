"""Where a text that is too long for one context goes on in the next: at the end of a sentence. Pure.

A context has room for so many positions, and the model drifts long before they are used up, so a long text is
spoken in several contexts, each begun with the voice. Where it is cut depends on the characters alone, never
on the pieces in which they arrived.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

TERMINATORS = frozenset(".!?…")
WIDE_TERMINATORS = frozenset("。！？｡")
"""Marks that end a sentence without a space after them."""

CLOSERS = frozenset("\"')]}»”’」』）")
"""What may follow a terminator within its sentence."""

WIDE_WEIGHT = 3
"""A Chinese, Japanese or Korean character is about as long in speech and in tokens as three Latin letters."""

MIN_WORD_CHARS = 4
"""A full stop after a shorter word may be an abbreviation's; there is no hurry to cut."""

LATEST = 1.25
"""A text without sentences is cut between two words, at so many times the size."""


class ContextCutter:
    """Reads a text character by character; `size` is in Latin characters."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._weight = 0
        self._n_word = 0
        self._ending: Literal["", "before a space", "anywhere"] = ""
        self._is_after_space = False

    def feed(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text in parts that join to it; True with a part after which the next context begins."""
        start = 0
        for at, char in enumerate(text):
            if not char.isspace() and self._may_cut_before(char):
                yield text[start:at], True
                start = at
                self._weight = 0
            self._pass(char)
        if start < len(text):
            yield text[start:], False

    def _may_cut_before(self, char: str) -> bool:
        if self._weight < self._size or char in CLOSERS or char in TERMINATORS or char in WIDE_TERMINATORS:
            return False
        if self._ending == "anywhere":
            return True
        return self._is_after_space and (bool(self._ending) or self._weight >= LATEST * self._size)

    def _pass(self, char: str) -> None:
        self._weight += WIDE_WEIGHT if unicodedata.east_asian_width(char) in "WF" else 1
        self._is_after_space = char.isspace()
        if char in WIDE_TERMINATORS:
            self._ending = "anywhere"
        elif char in TERMINATORS:
            self._ending = "before a space" if char != "." or self._n_word >= MIN_WORD_CHARS else ""
        elif not char.isspace() and char not in CLOSERS:
            self._ending = ""
        self._n_word = self._n_word + 1 if char.isalnum() else 0
