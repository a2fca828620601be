"""The frame of every normalising rule group: text in pieces in, rewritten text out, in order and at once.

A rule group says where a rewrite may begin (`_find`) and what becomes of the text there (`_rewrite`), looking
at no more than `reach` characters from that place and `LOOK_BEHIND` before it. As every decision looks at a
bounded window, and waits until that window is known well enough, the output depends on the text alone, not on
how it was fed, and no more than a window is ever held back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

LOOK_BEHIND = 32
"""Characters before a place that a rule may look at."""


class Window(NamedTuple):
    """The part of the text a rule may look at."""

    text: str
    start: int
    """Where the rewrite would begin; up to `LOOK_BEHIND` characters before it may be looked at."""

    stop: int
    """The end of what may be looked at."""

    is_certain: bool
    """Nothing that is fed later can change what lies between `start` and `stop`, or follow it."""

    @property
    def before(self) -> str:
        """The character before `start`; empty at the beginning of the text."""
        return self.text[self.start - 1 : self.start] if self.start else ""

    def is_open(self, end: int) -> bool:
        """`end` is the edge of what is known: more text may go on from there."""
        return end >= self.stop and not self.is_certain


Taken = tuple[int, str] | None
"""Where the rewritten text ends and what stands for it; None: what follows must be known first."""


class Rewriter(ABC):
    """One rule group at work on one text; as new after `end`."""

    reach: ClassVar[int]
    """Characters a rule may look at, from where it begins."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0  # everything before it has been handed out

    def feed(self, text: str) -> str:
        """What is certain now; often all of it, sometimes nothing."""
        self._text += text
        return self._advance(is_final=False)

    def end(self) -> str:
        """The rest."""
        rest = self._advance(is_final=True)
        self._text, self._at = "", 0
        return rest

    def _advance(self, *, is_final: bool) -> str:
        text, out = self._text, []
        while self._at < len(text):
            start = self._find(text, self._at)
            if start > self._at:
                out.append(self._pass(text[self._at : start]))
                self._at = start
            if start == len(text):
                break
            stop = min(start + self.reach, len(text))
            is_certain = is_final or stop == start + self.reach
            taken = self._rewrite(Window(text, start, stop, is_certain))
            if taken is None:
                break
            self._at = taken[0]
            out.append(taken[1])
        trim = max(0, self._at - LOOK_BEHIND)
        self._text, self._at = text[trim:], self._at - trim
        return "".join(out)

    @abstractmethod
    def _find(self, text: str, at: int) -> int:
        """The first place from `at` on where a rewrite may begin; `len(text)` if there is none yet."""

    @abstractmethod
    def _rewrite(self, window: Window) -> Taken:
        """What becomes of the text at `window.start`; takes a character or changes what `_find` answers."""

    def _pass(self, text: str) -> str:
        """Text in which no rewrite begins; never empty."""
        return text
