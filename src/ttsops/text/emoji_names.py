"""Emoji spoken by name, in the languages the `emoji` library knows; in others they are left out.

Emoji that stand together are named together, each once and three at most: 😂😂😂🎉 is "face with tears of
joy, party popper". Skin tones are not spoken. Signs that belong to the text (©, ™, ‼) stay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import ClassVar

from ttsops.text.rewriter import Rewriter, Taken, Window

MAX_NAMES = 3
"""Names spoken for emoji that stand together."""

_BASE = (
    r"[\u2194-\u21aa\u231a-\u23ff\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55"
    r"\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_FLAG = r"[\U0001f1e6-\U0001f1ff]"
_MODIFIER = r"[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_EMOJI = (
    rf"(?:{_FLAG}{_FLAG}?|[0-9#*]\ufe0f?\u20e3|"
    rf"(?:{_BASE}|{_MODIFIER}){_MODIFIER}{{0,8}}(?:\u200d{_BASE}{_MODIFIER}{{0,8}}){{0,8}})"
)
_START = re.compile(rf"{_FLAG}|{_BASE}|[\U0001f3fb-\U0001f3ff]|[0-9#*](?:\ufe0f?\u20e3|\ufe0f?\Z)")
_RUN = re.compile(rf"(?P<emoji>{_EMOJI}(?:[ \t]{{0,3}}{_EMOJI}){{0,30}})\u200d?(?P<space>[ \t]{{0,9}})")
_ONE = re.compile(_EMOJI)
_LONE_DIGIT = re.compile(r"[0-9#*]\ufe0f?\Z")

_GOES_ON = re.compile(rf"(?:{_FLAG}|{_BASE}|{_MODIFIER}|\u200d)[ \t]{{0,3}}\Z")

_NO_SKIN = str.maketrans("", "", "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_SENTENCE_ENDS = ".!?…。！？"
_PUNCTUATION = ".,;:!?…)]}\"'”’。，！？"


class EmojiNames(Rewriter):
    """Emoji in pieces of text in, their names out."""

    reach: ClassVar[int] = 400

    def __init__(self, language: str) -> None:
        """`language` is a BCP 47 tag; with an empty or unknown one emoji are left out."""
        super().__init__()
        self._language = language.lower().replace("_", "-").split("-")[0]

    def _find(self, text: str, at: int) -> int:
        found = _START.search(text, at)
        return found.start() if found else len(text)

    def _rewrite(self, window: Window) -> Taken:
        text, start, stop, is_certain = window
        if not is_certain and _LONE_DIGIT.match(text, start, stop):
            return None
        run = _RUN.match(text, start, stop)
        if not run:
            return start + 1, text[start]
        may_go_on = not is_certain and _LONE_DIGIT.match(text, run.end(), stop)  # 🎉1️⃣
        if window.is_open(run.end()) or may_go_on:
            return None
        names = self._names(run["emoji"])
        if names is None:
            return run.end(), run[0]
        after = text[run.end() : run.end() + 1] if run.end() < stop else ""
        before = text[max(0, start - 8) : start]
        if _GOES_ON.search(before):  # a run too long for one window: enough of it was named
            names = []
        return run.end(), _fit_in(names, before, run["space"], after)

    def _names(self, run: str) -> list[str] | None:
        """What is said for the emoji of a run, in order; None if none of them is one."""
        names: list[str] = []
        is_emoji = False
        for one in _ONE.findall(run):
            name = _name(one.translate(_NO_SKIN) or one, self._language)
            is_emoji = is_emoji or name is not None
            spoken = one if name is None else name
            if spoken and spoken not in names:
                names.append(spoken)
        return names[:MAX_NAMES] if is_emoji else None


def _fit_in(names: list[str], before: str, space: str, after: str) -> str:
    """The names as words of the text around them."""
    previous = before[-1:]
    if not names:
        is_word_broken = (previous + after).isascii() and previous.isalnum() and after.isalnum()
        is_at_gap = not previous or previous.isspace()
        return "" if is_at_gap else space or (" " if is_word_broken else "")
    lead = " " if previous.isalnum() or (previous in _PUNCTUATION and previous) else ""
    spoken = lead + ", ".join(names)
    bare = before.rstrip(" \t\"'”’)")
    if after and after in _PUNCTUATION:
        return spoken + space
    if not after or after in "\r\n" or (bare[-1:] in _SENTENCE_ENDS and bare):
        mark = "."  # people write emoji where a sentence ends
    else:
        mark = "," if not bare or bare.endswith("\n") else ""
    return spoken + mark + (space or (" " if after.isalnum() else ""))


@lru_cache(maxsize=1024)
def _name(emoji_text: str, language: str) -> str | None:
    """The name of one emoji; empty if it has none in `language`, None if it is no emoji."""
    import emoji  # 70 ms, paid by the first text with an emoji in it

    if language in emoji.LANGUAGES and language != "en":
        emoji.config.load_language(language)
    entry = next((emoji.EMOJI_DATA[t] for t in _spellings(emoji_text) if t in emoji.EMOJI_DATA), None)
    if entry is None:
        return None
    if entry["en"].startswith(":keycap_"):
        return emoji_text[0] if emoji_text[0].isdigit() else ""
    name: str = entry.get(language, "")
    return re.sub(r"[^\w\s.&’'-]", " ", name.replace("_", " ").strip(":")).strip()


def _spellings(emoji_text: str) -> list[str]:
    """As it stands, with and without its variation selectors, and by its first part alone."""
    bare = emoji_text.replace("\ufe0f", "").replace("\ufe0e", "")
    return [emoji_text, bare, bare + "\ufe0f", bare.split("\u200d")[0], bare[:1]]
