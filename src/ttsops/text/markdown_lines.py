"""How a line of Markdown begins: one pattern for each kind, and one for text that may still become it.

Data for `ttsops.text.markdown`. Repetitions are bounded, so that no line is looked at for long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineKind:
    """A kind of line, known by its first characters after the indent."""

    name: str
    pattern: re.Pattern[str]

    part: re.Pattern[str]
    """Matches, up to the end of what is known, whatever more text could turn into this kind."""


def _kind(name: str, pattern: str, part: str) -> LineKind:
    return LineKind(name, re.compile(pattern), re.compile(rf"(?:{part})\Z"))


def _rule(n_least: int) -> str:
    marks = "|".join(rf"(?:{mark}[ \t]{{0,9}}){{{n_least},200}}" for mark in ("-", r"\*", "_"))
    return rf"(?:{marks}|={{{min(n_least, 2)},200}}[ \t]{{0,9}})\r?"


INDENT = re.compile(r"[ \t\r]{0,80}")

LINE_KINDS = (
    _kind(
        "fence",
        r"(?:(?P<fence>`{3,99})(?!`)[^`\n]{0,200}|(?P<tildes>~{3,99})(?!~)[^\n]{0,200})(?:\n|\Z)",
        r"`{1,99}|~{1,99}|`{3,99}[^`\n]{0,200}|~{3,99}[^\n]{0,200}",
    ),
    _kind("rule", _rule(3) + r"(?:\n|\Z)", _rule(1)),
    _kind(
        "separator",  # of a table: |---|:-:|
        r"(?=[: \t|]{0,40}(?:--|:-|-:|-\|))(?=[:\- \t]{0,80}\|)[|:\- \t]{2,400}\r?(?:\n|\Z)",
        r"[|:\-][|:\- \t]{0,399}\r?",
    ),
    _kind("heading", r"#{1,6}(?:[ \t]{1,80}|(?=\n|\Z))", r"#{1,6}[ \t]{0,80}"),
    _kind("quote", r">(?:[ \t](?!\d)|(?![\d=\s])|(?=\n))", r">[ \t]?"),
    _kind(
        "item",
        r"[-*+•‣◦](?:[ \t]{1,80}(?:\[(?P<box>[ xX])\][ \t]{1,9})?|(?=\n|\Z))",
        r"[-*+•‣◦](?:[ \t]{1,80}(?:\[(?:[ xX](?:\][ \t]{0,9})?)?)?)?",
    ),
    _kind("number", r"(?P<number>\d{1,3})[.)][ \t]{1,80}(?=\S)", r"\d{1,3}(?:[.)][ \t]{0,80})?"),
    _kind(
        "definition",  # of a link: [name]: https://…
        r"\[(?!\^)[^\[\]\n]{1,100}\]:[ \t]{0,9}<?(?:(?i:https?:|www\.|mailto:)|[/#])[^\n]{0,1800}(?:\n|\Z)",
        r"\[[^\[\]\n]{0,100}(?:\](?::[^\n]{0,1820})?)?",
    ),
    _kind("row", r"\|[ \t]{0,80}", r"\|[ \t]{0,80}"),
)
"""In the order in which they are tried; a line of no kind is text."""
