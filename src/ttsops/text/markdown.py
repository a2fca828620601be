"""Markdown made speakable while it is written: headings, lists, quotes, tables, code blocks, rules.

A small state machine instead of a parser: Markdown parsers build a tree of the whole text, but a listener
wants the first words of a paragraph before its last are written. At the start of a line it waits until the
line's kind is certain (a few characters); the rest of the line flows through the inline rules. White space at
the end of a line waits for the next line, because an item that ends without a mark is given a full stop.

Plain text comes out as it went in. Indented code is taken for text: nested lists look the same.
"""

from __future__ import annotations

import re
from typing import ClassVar

from ttsops.text.inline import INLINE_START, REACH, rewrite_inline
from ttsops.text.markdown_lines import INDENT, LINE_KINDS
from ttsops.text.rewriter import Rewriter, Taken, Window

_MARKS = ".!?…:;,。！？：；，、"
"""After one of these a block needs no full stop."""

_TEXT_START = re.compile(
    rf"{INLINE_START.pattern}|(?<![ \t\r])[ \t\r]+(?:#{{1,6}}[ \t\r]*)?(?:\n|\Z)|\n",
)
_ROW_START = re.compile(rf"(?:(?<![ \t\r])[ \t\r]+)?\||{_TEXT_START.pattern}")
_LINE_END = re.compile(r"(?P<space>[ \t\r]*)(?P<hashes>#{1,6}[ \t\r]*)?(?P<newline>\n|\Z)")
_CELL_END = re.compile(r"[ \t\r]*\|[ \t\r]*")


class Markdown(Rewriter):
    """Markdown in pieces in, plain text out."""

    reach: ClassVar[int] = REACH

    def __init__(self, *, code_block: str = "", done: str = "", to_do: str = "") -> None:
        """What is said for a block of code, and before a ticked and an open item of a task list."""
        super().__init__()
        self._code_block = code_block
        self._boxes = {"x": done, " ": to_do}
        self._reset()

    def _reset(self) -> None:
        self._is_line_start = True
        self._block = ""
        """What this line belongs to, or at the start of a line the one before: text, item, after item,
        heading, row, code; empty after a blank line."""
        self._gap = ""
        """White space at the end of the line before, not said yet: a full stop may come before it."""
        self._last = ""
        """The last character of this block that was said and is no white space."""
        self._is_cell_next = False
        """A comma is due before the next word of this row."""
        self._fence_end = re.compile("")
        """The line that ends the block of code."""

    def end(self) -> str:
        """The rest, and the full stop of the last block."""
        rest = super().end()
        if self._block in ("item", "after item", "heading", "row"):
            rest += self._stop()
        rest += self._gap
        self._reset()
        return rest

    def _find(self, text: str, at: int) -> int:
        if self._is_line_start or self._block == "code":
            return at
        found = (_ROW_START if self._block == "row" else _TEXT_START).search(text, at)
        return found.start() if found else len(text)

    def _rewrite(self, window: Window) -> Taken:
        if self._block == "code":
            return self._skip_code(window)
        if self._is_line_start:
            return self._begin_line(window)
        if self._block == "row" and (cell_end := _CELL_END.match(*window[:3])):
            self._is_cell_next = bool(self._last)
            return None if window.is_open(cell_end.end()) else (cell_end.end(), "")
        if window.text[window.start] in " \t\r\n":
            return self._end_line(window)
        return self._inline(window)

    def _pass(self, text: str) -> str:
        """Say `text`, after the comma that is due between two cells."""
        bare = text.rstrip()
        if not bare:
            return text
        comma = ", " if self._is_cell_next else ""
        self._is_cell_next, self._last = False, bare[-1]
        return comma + text

    def _inline(self, window: Window) -> Taken:
        taken = rewrite_inline(window)
        return taken and (taken[0], self._pass(taken[1]))

    def _stop(self) -> str:
        """The full stop that is missing after what was said last."""
        is_missing = self._last and self._last not in _MARKS
        self._last = ""
        return "." if is_missing else ""

    def _break(self, *, is_stopped: bool) -> str:
        """End the line before."""
        stop = self._stop() if is_stopped and self._gap else ""
        gap, self._gap = self._gap, ""
        return stop + gap

    def _begin_line(self, window: Window) -> Taken:
        text, start, stop, is_certain = window
        indent = INDENT.match(text, start, stop)
        assert indent is not None  # it matches the empty text
        at = indent.end()
        if window.is_open(at):
            return None
        if text.startswith("\n", at, stop):
            said = self._break(is_stopped=self._block == "after item")
            self._block = self._last = ""
            return at + 1, said + text[start : at + 1]
        for kind in LINE_KINDS:
            if not is_certain and kind.part.match(text, at, stop):
                return None
            if found := kind.pattern.match(text, at, stop):
                said_or_none = self._begin_block(kind.name, found)
                if said_or_none is not None:
                    return found.end(), said_or_none
        return at, self._begin_text(indent[0], text[at : at + 1])

    def _begin_text(self, indent: str, first: str) -> str:
        """A line of text; after an item it is most often the rest of that item."""
        self._is_line_start = False
        if self._block == "after item":
            is_rest = bool(indent) or not first.isupper()
            self._block = "item" if is_rest else "text"
            return self._break(is_stopped=not is_rest) + (indent if not is_rest else "")
        self._block = self._block or "text"
        return self._break(is_stopped=False) + indent

    def _begin_block(self, kind: str, found: re.Match[str]) -> str | None:
        """What is said where the line turns out to be of `kind`; None if it is not of that kind after all."""
        if kind in ("separator", "definition", "quote"):
            return ""
        if kind == "number" and self._block == "text" and found["number"] != "1":
            return None  # in a paragraph: "…\n1999. It was", as CommonMark has it
        said = self._break(is_stopped=True)
        was_heading = self._block == "heading"  # "## 1. Setup": still on its line
        self._block, self._last = kind, ""
        match kind:
            case "rule":
                self._block = ""
                return said + ("\n" if found[0].endswith("\n") else "")
            case "fence":
                return said + self._begin_code(found["fence"] or found["tildes"])
            case "item":
                return said + self._boxes.get((found["box"] or "").lower(), "")
            case "number":
                self._block = "heading" if was_heading else "item"
                return f"{said}{found['number']}: "
            case "row":
                self._is_line_start, self._is_cell_next = False, False
        return said

    def _begin_code(self, fence: str) -> str:
        self._block = "code"
        mark = re.escape(fence[0])
        self._fence_end = re.compile(rf"[ \t>]{{0,80}}{mark}{{{len(fence)},200}}[ \t\r]{{0,80}}(?:\n|\Z)")
        return self._code_block

    def _skip_code(self, window: Window) -> Taken:
        text, start, stop, is_certain = window
        if self._is_line_start:
            if not is_certain and _FENCE_PART.match(text, start, stop):
                return None
            if found := self._fence_end.match(text, start, stop):
                self._block = ""
                return found.end(), "\n" if found[0].endswith("\n") else ""
        newline = text.find("\n", start, stop)
        self._is_line_start = newline >= 0
        return (newline + 1 if newline >= 0 else stop), ""

    def _end_line(self, window: Window) -> Taken:
        """White space, at the end of the line as far as that is known."""
        text, start, stop, is_certain = window
        found = _LINE_END.match(text, start, stop)
        if not found or (found["hashes"] and self._block != "heading"):
            return self._inline(window)
        has_stop_to_come = self._block in ("heading", "row") or not self._is_stopped(window.before)
        if not found["newline"] and not is_certain and has_stop_to_come:
            return None
        if not found["newline"]:
            is_end = is_certain and stop - start < self.reach
            self._gap = found["space"] if is_end else ""
            return found.end(), "" if is_end else found[0]
        self._is_line_start, self._is_cell_next = True, False
        if self._block in ("heading", "row"):
            self._block = ""
            return found.end(), (self._stop() or found["space"]) + "\n"
        if self._block == "item":
            self._block = "after item"
        if not has_stop_to_come:
            return found.end(), found[0]
        self._gap = found[0]
        return found.end(), ""

    def _is_stopped(self, before: str) -> bool:
        """The block ends with a mark, in the text as in what is said: it needs no full stop."""
        return before in _MARKS and self._last in _MARKS


_FENCE_PART = re.compile(r"[ \t>]{0,80}(?:`{0,200}|~{0,200})[ \t\r]{0,80}\Z")
