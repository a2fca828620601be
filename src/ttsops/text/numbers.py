"""Numbers read as English words, in text that is still arriving.

Where a number begins, this waits until it ends and the word after it is known ("5 km", "2048 tokens"), and no
longer; other words are not held back. A number that fits no rule (`a1b2`, `x=5`, `192.168.0.0/16`) is left as
it is, for the voice to read as it can: better than a wrong guess. The number of a speaker at the beginning of
a line (`Speaker 1: …`) belongs to the script, and is not said.
"""

from __future__ import annotations

import re
from typing import ClassVar

from ttsops.text.number_amounts import AMOUNT_RULES
from ttsops.text.number_forms import FORM_RULES
from ttsops.text.number_patterns import CURRENCY, NumberRule, number_pattern
from ttsops.text.number_words import cardinal
from ttsops.text.rewriter import LOOK_BEHIND, Rewriter, Taken, Window

_RULES = (*FORM_RULES, *AMOUNT_RULES)

_AFTER_HYPHEN: tuple[NumberRule, ...] = (
    *FORM_RULES[-3:-1],
    (number_pattern(r"(?P<number>\d+)"), lambda found: cardinal(found["number"])),
)
"""For the number in COVID-19 and mid-1990s: decades, ordinals and plain numbers."""

_PREFIX = r"~≈±<>≤≥"
_START = re.compile(rf"[\d½⅓⅔¼¾⅛#(+\-−{CURRENCY[1:-1]}{_PREFIX}]|(?<![\w.])v(?=\d|\Z)")
_NUMBER_START = re.compile(
    rf"[\d½⅓⅔¼¾⅛]|[(#v]\d|\+\(?\d|[-−+]?{CURRENCY}[ -]?\d|[-−]\d|[{_PREFIX}] ?[-−+]?{CURRENCY}?\d"
)
_NUMBER_START_PART = re.compile(
    rf"(?:[(#v]|\+\(?|[-−+]?{CURRENCY}[ -]?|[-−]|[{_PREFIX}] ?[-−+]?{CURRENCY}?)\Z"
)
_SPEAKER = re.compile(r"(?:\A|\n)[^\S\n]*Speaker[^\S\n]+\Z", re.IGNORECASE)
_SPEAKER_NUMBER = re.compile(r"\d+(?=[^\S\n]*:)")
_WORD = re.compile(r"\S+")
_SPACES = " \u00a0\u202f"
_OPERATORS = frozenset("+-–−×÷*/=x%")
_OPENERS = "([{\"'“‘«¿¡—"


class Numbers(Rewriter):
    """Text with numbers in pieces in, number words out."""

    reach: ClassVar[int] = 120

    def _find(self, text: str, at: int) -> int:
        found = _START.search(text, at)
        return found.start() if found else len(text)

    def _rewrite(self, window: Window) -> Taken:
        text, start, stop, is_certain = window
        if not is_certain and _NUMBER_START_PART.match(text, start, stop):
            return None
        if not _NUMBER_START.match(text, start, stop):
            return start + 1, text[start]
        end = _known_end(window)
        if end is None:
            return None
        if label := _speaker_number(text, start, end):
            return start + len(label), label
        for pattern, say in _rules_at(text, start):
            found = pattern.match(text, start, end)
            if found and (words := say(found)):
                return found.end(), words
        if not text[start].isdecimal():
            return start + 1, text[start]
        word = _WORD.match(text, start, end)
        assert word is not None  # it begins with a digit
        return word.end(), word[0]


def _speaker_number(text: str, start: int, end: int) -> str:
    """The number here if it is a speaker's in a script; empty if it is not."""
    found = _SPEAKER_NUMBER.match(text, start, end)
    if not found:
        return ""
    # Only within the first characters of a text is the beginning of what is known that of a line.
    before = text[:start] if start < LOOK_BEHIND else "…" + text[start - LOOK_BEHIND : start]
    return found[0] if _SPEAKER.search(before) else ""


def _rules_at(text: str, start: int) -> tuple[NumberRule, ...]:
    """The rules for a number that begins here; none inside a word such as `a1` or `x=1`."""
    if start == 0 or text[start - 1].isspace() or text[start - 1] in _OPENERS:
        return _RULES
    before, two_before = text[start - 1], text[start - 2 : start - 1]
    if text[start] in CURRENCY and before.isalpha():
        return _RULES
    if not text[start].isdecimal():
        return ()
    if before in "-–":
        return _AFTER_HYPHEN if two_before.isalpha() else ()
    return _RULES if before in ",;:" and not two_before.isdecimal() else ()


def _known_end(window: Window) -> int | None:
    """The end of the numbers that stand together here, and of the word after them; None if not known yet."""
    text, start, stop, is_certain = window
    at = start
    while word := _WORD.match(text, at, stop):
        end = word.end()
        if window.is_open(end):
            return None
        is_number = any(c.isdecimal() for c in word[0]) or word[0] in _OPERATORS or at == start
        if not is_number or end == stop or word[0][-1] in ".,;:!?…" or text[end] not in _SPACES:
            return end
        at = end + 1
    return None if at >= stop and not is_certain else min(at, stop)
