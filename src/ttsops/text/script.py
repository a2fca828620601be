"""Scripts of several speakers: lines of the form `Speaker 1: what is said`. Pure.

A text without any such line is one speaker's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TURN = re.compile(r"Speaker\s+(\d+)\s*:\s*(.*)", re.IGNORECASE)
_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n")

FIRST_SPEAKER = 1
"""Who says a plain text."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of one speaker."""

    speaker: int
    """As it is written."""

    text: str
    """Without white space around it; may be empty."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is said, by whom, in order."""

    turns: tuple[Turn, ...]

    unread: tuple[int, ...] = ()
    """Lines, counted from 1, that hold text and are nobody's: they are not said."""

    @property
    def speakers(self) -> tuple[int, ...]:
        """Everybody who speaks, in ascending order of their numbers."""
        return tuple(sorted({turn.speaker for turn in self.turns}))

    @property
    def n_chars(self) -> int:
        """Characters that are said."""
        return sum(len(turn.text) for turn in self.turns)


def read_script(text: str) -> Script:
    """Turns with something to say; a plain text becomes one turn for each paragraph."""
    turns, unread = read_turns(text)
    if turns:
        return Script(tuple(turn for turn in turns if turn.text), unread)
    paragraphs = [" ".join(part.split()) for part in _PARAGRAPH_END.split(text)]
    return Script(tuple(Turn(FIRST_SPEAKER, part) for part in paragraphs if part))


def read_turns(text: str) -> tuple[Sequence[Turn], tuple[int, ...]]:
    """The lines that are turns, and the numbers of the other lines that are not blank."""
    turns, unread = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _TURN.fullmatch(line.strip()):
            turns.append(Turn(int(match[1]), match[2].strip()))
        elif line.strip():
            unread.append(number)
    return turns, tuple(unread)
