"""What the number rules share: the shape of a number, where it may end, and the word before it."""

from __future__ import annotations

import re
from collections.abc import Callable

NumberRule = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]
"""A pattern, and what is said for it; None if it is not that kind of number after all."""

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
SPACE = "[ \u00a0\u202f]"
CURRENCY = "[$£€₹¥]"
DASH = "[-–]"

_EDGE = r"(?=\Z|[\s)\]}\"'”’»…—]|[-–](?!\d)|[.,;:!?](?!\w))"
_WORD_BEFORE = re.compile(r"([A-Za-z]+)\.?[ '’(-]*\Z")


def number_pattern(pattern: str) -> re.Pattern[str]:
    """`pattern`, up to where a number may end: a space, a closing mark, a hyphen before a word."""
    return re.compile(f"(?:{pattern}){_EDGE}")


def word_before(found: re.Match[str]) -> str:
    """The word before the number, in lower case; empty if something else stands there."""
    word = _WORD_BEFORE.search(found.string[max(0, found.start() - 24) : found.start()])
    return word[1].lower() if word else ""
