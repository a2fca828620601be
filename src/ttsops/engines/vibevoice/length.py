"""How long an utterance may become: in proportion to its text, and within its context. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from ttsops.errors import TextTooLong
from ttsops.text import Script

USUAL_FRAMES_PER_CHAR = 0.5
"""Fifteen letters a second, at 7.5 frames."""

WIDE_WEIGHT = 3
"""A Chinese, Japanese or Korean character is about as long in speech as three Latin letters."""


@dataclass(frozen=True, slots=True)
class LengthBound:
    """After how many tokens an utterance is cut off that has not ended by itself."""

    frames_per_char: float
    n_least: int
    """Whatever the text: very short ones are spoken slowly."""

    is_end: bool = False
    """Random weights do not know when to stop: for them the bound is the end, and no error."""

    def max_tokens(self, script: Script) -> int:
        """Frames, and the marks around segments of speech."""
        return self.n_least + round(self.frames_per_char * n_letters(script))


def n_letters(script: Script) -> int:
    """Characters that are said, each of East Asian width counted as `WIDE_WEIGHT`."""
    return sum(
        WIDE_WEIGHT if unicodedata.east_asian_width(char) in "WF" else 1
        for turn in script.turns
        for char in turn.text
    )


def check_fits(script: Script, n_prompt: int, n_positions: int) -> None:
    """Raises `TextTooLong` for a script whose speech would not fit behind its prompt."""
    n_needed = n_prompt + round(USUAL_FRAMES_PER_CHAR * n_letters(script))
    if n_needed > n_positions:
        raise TextTooLong(
            f"voices, script and speech take about {n_needed} positions of {n_positions}",
            hint="speak it in parts, or raise `max_positions` in the engine's options",
            param="text",
        )
