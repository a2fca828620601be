"""Sentences and phrases out of text that is still arriving.

Feed text in any pieces; a sentence comes out as soon as nothing that may follow can change its end, most
often with the white space after its full stop. "3." waits, because "50" may follow. What comes out, joined,
is what went in, character for character, and where it is cut does not depend on how it was fed:

* a piece ends right after its last mark; the white space between two sentences begins the second one;
* a piece never exceeds `max_chars`: without a better place it is cut after a clause, before a space, or hard;
* a piece has something to say (a letter or digit), but for the last one and one of `max_chars` without any.
  Such a piece is to be counted, not spoken.

The splitters know nothing of Markdown or languages; see `ttsops.text.abbreviations` for the words they know.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import ClassVar

from ttsops.text.abbreviations import (
    BEFORE_LOWER_CASE,
    BEFORE_NAME,
    BEFORE_NUMBER,
    CONTINUES,
    GERMAN_MONTHS,
    STARTERS,
)

LOOK_AHEAD = 40
"""Characters after a mark that may decide whether it ends a sentence; bounds how long one is held back."""

LOOK_BEHIND = 24
"""Characters before a full stop in which its abbreviation is looked for."""

_STOPS = ".!?…"
_WIDE_STOPS = "。！？．｡।॥؟۔።។"  # end a sentence without a space after them
_CLOSERS = "\"'”’»›)\\]}」』）】〉》*_"
_WIDE_CLAUSE_MARKS = "，、；：﹐､"

_SENTENCE_MARK = re.compile(rf"(?P<stop>[{_STOPS}{_WIDE_STOPS}]+)(?P<closers>[{_CLOSERS}]*)|\n")
_PHRASE_MARK = re.compile(
    rf"(?P<stop>[{_STOPS}{_WIDE_STOPS}]+)(?P<closers>[{_CLOSERS}]*)|\n|"
    rf"(?P<clause>[,;:{_WIDE_CLAUSE_MARKS}—–]+)(?P<after_clause>[{_CLOSERS}]*)"
)
_CLAUSE_END = re.compile(rf"[,;:–—][{_CLOSERS}]*(?=\s)|[{_WIDE_CLAUSE_MARKS}—]")
_WIDE_STOP = re.compile(rf"[{_WIDE_STOPS}]")
_QUOTE_OR_BRACKET = re.compile(r"[^*_]")
_CONTENT = re.compile(r"[^\W_]")
_NEXT_WORD = re.compile(r"\s*[\"'“‘«(\[*_¿¡]*(?P<word>\w*)")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_INITIALISM = re.compile(r"[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]")
_WIDE_LETTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")

_JOINED = "\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # zero-width joiner, skin tones

_WAIT = -1
_NO_END = 0


class SentenceSplitter:
    """Sentences out of text in pieces, each at most `max_chars` long. One per text; reusable after `end`."""

    _mark: ClassVar[re.Pattern[str]] = _SENTENCE_MARK

    def __init__(self, max_chars: int = 500) -> None:
        if max_chars < 1:
            raise ValueError(f"max_chars is {max_chars}, must be at least 1")
        self._max_chars = max_chars
        self._text = ""
        self._scan = 0  # before it no piece ends
        self._has_content = False  # there is a letter or digit before it

    def feed(self, text: str) -> list[str]:
        """The sentences that are complete now; often none."""
        self._text += text
        return self._cut(is_final=False)

    def end(self) -> list[str]:
        """The rest: what is left is complete because nothing follows."""
        pieces = self._cut(is_final=True)
        if self._text:
            pieces.append(self._text)
        self._text, self._scan, self._has_content = "", 0, False
        return pieces

    def _cut(self, *, is_final: bool) -> list[str]:
        pieces = []
        start, text = 0, self._text
        while (end := self._find_end(text, start, is_final)) > 0:
            pieces.append(text[start:end])
            start = self._scan = end
            self._has_content = False
        self._text = text[start:]
        self._scan -= start
        return pieces

    def _find_end(self, text: str, start: int, is_final: bool) -> int:
        """Where the piece that begins at `start` ends; 0 or less if that is not known yet."""
        limit = start + self._max_chars
        known = min(limit, len(text))
        while mark := self._mark.search(text, self._scan, known):
            # A run of marks at the very end of what is known may go on.
            touches_end = mark.end() == len(text)
            self._move(mark.start())
            end = _WAIT if touches_end and not is_final else self._judge(text, start, mark, is_final)
            if end == _WAIT:
                return _WAIT
            if end and (end < len(text) or not is_final):
                return min(end, limit)
            self._scan = mark.end()
        self._move(known)
        return _hard_end(text, start, limit) if len(text) > limit else _NO_END

    def _move(self, scan: int) -> None:
        if not self._has_content:
            self._has_content = bool(_CONTENT.search(self._text, self._scan, scan))
        self._scan = scan

    def _judge(self, text: str, start: int, mark: re.Match[str], is_final: bool) -> int:
        """The end of the piece at `mark`, `_NO_END`, or `_WAIT` if what follows decides."""
        if not self._has_content:
            return _NO_END
        if mark["stop"]:
            return _judge_stop(text, start, mark, is_final)
        ahead = text[mark.start() : mark.start() + LOOK_AHEAD]
        if _BLANK_LINE.match(ahead):
            return mark.start()
        is_open = ahead.isspace() and len(ahead) < LOOK_AHEAD and not is_final
        return _WAIT if is_open else _NO_END


class PhraseSplitter(SentenceSplitter):
    """Phrases: like sentences, and cut after commas, colons, semicolons and dashes too.

    For engines that speak phrase by phrase, and for a short first piece. A clause shorter than `min_chars`
    stays with the next one: "Well, that was quick" is one phrase.
    """

    _mark: ClassVar[re.Pattern[str]] = _PHRASE_MARK

    def __init__(self, max_chars: int = 160, *, min_chars: int = 16) -> None:
        super().__init__(max_chars)
        self._min_chars = min_chars

    def _judge(self, text: str, start: int, mark: re.Match[str], is_final: bool) -> int:
        if not mark["clause"]:
            return super()._judge(text, start, mark, is_final)
        is_long_enough = mark.end() - start >= self._min_chars
        if not is_long_enough or not self._has_content:
            return _NO_END
        if mark["clause"][-1] in _WIDE_CLAUSE_MARKS + "—":
            return mark.end()
        return mark.end() if text[mark.end() : mark.end() + 1].isspace() else _NO_END


def split_sentences(text: str, max_chars: int = 500) -> list[str]:
    """All sentences of `text`; joined they are `text`."""
    splitter = SentenceSplitter(max_chars)
    return splitter.feed(text) + splitter.end()


def group_sentences(text: str, max_chars: int) -> list[str]:
    """`text` cut between sentences into pieces of at most `max_chars`, at least one; no word is lost."""
    if len(text) <= max_chars:
        return [text]
    groups = [""]
    for sentence in split_sentences(text, max_chars=min(500, max_chars)):
        if len(groups[-1]) + len(sentence) > max_chars:
            groups.append("")
        groups[-1] += sentence
    return [group for group in groups if group.strip()] or [""]


def split_phrases(text: str, max_chars: int = 160, *, min_chars: int = 16) -> list[str]:
    """All phrases of `text`; joined they are `text`."""
    splitter = PhraseSplitter(max_chars, min_chars=min_chars)
    return splitter.feed(text) + splitter.end()


def _judge_stop(text: str, start: int, mark: re.Match[str], is_final: bool) -> int:
    """The end of the sentence at this run of stops, `_NO_END`, or `_WAIT` for the next word."""
    end, stop = mark.end(), mark["stop"]
    if _WIDE_STOP.search(stop):
        return end
    after = text[end : end + 1]
    if not after:
        return _NO_END  # only at the end of the text, which ends the piece anyway
    before = text[mark.start() - 1]
    if not after.isspace():
        is_wide = _WIDE_LETTER.match(after) and (stop != "." or _WIDE_LETTER.match(before))
        return end if is_wide else _NO_END
    word = text[max(start, mark.start() - LOOK_BEHIND) : mark.start()].split()
    kind = _Context(text, start, mark, word[-1].lstrip("\"'“‘«([*_") if word and not before.isspace() else "")
    if stop == ".":
        return kind.judge_full_stop(is_final)
    if before.isspace():  # French writes « Oui ! »
        return kind.judge_spaced(is_final)
    if stop[-1] in "!?" and not _QUOTE_OR_BRACKET.search(mark["closers"]):
        return end
    return kind.unless_lower_case(is_final)  # “Stop!” she said, and … so on


class _Context:
    """What stands around a stop that is followed by white space."""

    def __init__(self, text: str, start: int, mark: re.Match[str], word: str) -> None:
        self._text, self._start, self._mark, self._word = text, start, mark, word

    def judge_full_stop(self, is_final: bool) -> int:
        key = self._word.casefold()
        if key in CONTINUES:
            return _NO_END
        if key.isdecimal():
            return self._judge_number(is_final)
        if key in BEFORE_LOWER_CASE:
            return self._unless(lambda word: word[:1].islower() or word[:1].isdecimal(), is_final)
        is_initial = _INITIALISM.fullmatch(self._word) and (len(key) > 1 or self._word.isupper())
        if is_initial or key in BEFORE_NAME:
            return self._unless(lambda word: word[:1].islower() or word.casefold() not in STARTERS, is_final)
        if key in BEFORE_NUMBER:
            return self._unless(lambda word: word[:1].isdecimal(), is_final)
        if self._text[self._mark.start() - 1].isspace():
            return self.judge_spaced(is_final)
        if _QUOTE_OR_BRACKET.search(self._mark["closers"]):
            return self.unless_lower_case(is_final)
        return self._mark.end()

    def judge_spaced(self, is_final: bool) -> int:
        """A stop after a space: a closing quotation mark may follow after another."""
        end = self._mark.end()
        ahead = self._text[end : end + 2]
        if len(ahead) < 2 and not is_final:
            return _WAIT
        return end + 2 if ahead[1:] == "»" else end

    def unless_lower_case(self, is_final: bool) -> int:
        return self._unless(lambda word: word[:1].islower(), is_final)

    def _judge_number(self, is_final: bool) -> int:
        line = max(self._start, self._text.rfind("\n", self._start, self._mark.start()) + 1)
        if self._text[line : self._mark.start()].strip() == self._word:
            return _NO_END  # "1. First": a number in a list, not a sentence
        return self._unless(lambda word: word[:1].islower() or word.casefold() in GERMAN_MONTHS, is_final)

    def _unless(self, goes_on: Callable[[str], bool], is_final: bool) -> int:
        """The end, unless the next word says that the sentence goes on. A blank line always ends it."""
        end = self._mark.end()
        ahead = self._text[end : end + LOOK_AHEAD]
        found = _NEXT_WORD.match(ahead)
        assert found is not None  # it matches the empty text
        if found.end() == len(ahead) < LOOK_AHEAD and not is_final:
            return _WAIT
        gap = ahead[: found.start("word")]
        if gap.count("\n") > 1 or not found["word"]:
            return end
        return _NO_END if goes_on(found["word"]) else end


def _hard_end(text: str, start: int, limit: int) -> int:
    """Where to cut a piece that is too long: after its last clause, at its last space, or anywhere."""
    content = _CONTENT.search(text, start, limit)
    first = content.end() if content else limit
    clause_ends = [m.end() for m in _CLAUSE_END.finditer(text, first, limit)]
    if clause_ends:
        return clause_ends[-1]
    for cut in range(limit, first - 1, -1):
        if text[cut].isspace():
            return cut
    return _before_joined(text, start, limit)


def _before_joined(text: str, start: int, limit: int) -> int:
    """`limit`, or a little before it, so that an accent or half of an emoji is not cut off its base."""
    for cut in range(limit, max(start, limit - 16), -1):
        follows_joiner = text[cut - 1] == "\u200d"
        is_mark = text[cut] in _JOINED or unicodedata.category(text[cut]).startswith("M")
        if not follows_joiner and not is_mark:
            return cut
    return limit
