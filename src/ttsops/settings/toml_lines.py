"""On which line of a TOML document each key stands, which `tomllib` does not tell.

Knows only valid TOML: `tomllib` reads the document first and refuses anything else. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import tomllib

KeyPath = tuple[str, ...]

_SPACE = " \t"
_BLANK = " \t\r\n"
_VALUE_ENDS = ",]}#\r\n"


def key_lines(document: str) -> dict[KeyPath, int]:
    """Path of every key and table → its first line, from 1. The tables of an array share one path."""
    return _Scanner(document).scan()


class _Scanner:
    """One pass over the characters of a valid document."""

    def __init__(self, document: str) -> None:
        self.text = document
        self.at = 0
        self.lines: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                self.at += 2 if self.text.startswith("[[", self.at) else 1
                table = self._read_key(())
                self.at = self.text.index("]", self.at) + 1
                if self.text.startswith("]", self.at):
                    self.at += 1
            else:
                self._read_pair(table)
            self._skip_blank()
        return self.lines

    def _read_pair(self, table: KeyPath) -> None:
        path = self._read_key(table)
        self.at = self.text.index("=", self.at) + 1
        self._skip(_SPACE)
        self._read_value(path)

    def _read_key(self, table: KeyPath) -> KeyPath:
        """`a."b c".d`: every part gets the line, so that a table made by a dotted key has one, too."""
        path = table
        line = self.text.count("\n", 0, self.at) + 1
        while True:
            self._skip(_SPACE)
            path = (*path, self._read_key_part())
            self.lines.setdefault(path, line)
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return path
            self.at += 1

    def _read_key_part(self) -> str:
        start = self.at
        if self.text[start] in "\"'":
            self._skip_string()
            key = tomllib.loads(f"key = {self.text[start : self.at]}")["key"]
            assert isinstance(key, str)
            return key
        while self.text[self.at].isalnum() or self.text[self.at] in "_-":
            self.at += 1
        return self.text[start : self.at]

    def _read_value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self._skip_string()
        elif opening in "[{":
            self.at += 1
            self._skip_blank()
            while self.text[self.at] not in "]}":
                if opening == "{":
                    self._read_pair(path)
                else:
                    self._read_value(path)
                self._skip_blank()
                if self.text[self.at] == ",":
                    self.at += 1
                self._skip_blank()
            self.at += 1
        else:
            while self.at < len(self.text) and self.text[self.at] not in _VALUE_ENDS:
                self.at += 1

    def _skip_string(self) -> None:
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        while not self.text.startswith(mark, self.at):
            # A backslash escapes in basic strings only.
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(mark)
        while len(mark) == 3 and self.text.startswith(quote, self.at):
            self.at += 1  # a multi-line string may end with up to two quotes of its own

    def _skip(self, characters: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def _skip_blank(self) -> None:
        self._skip(_BLANK)
        while self.text.startswith("#", self.at):
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
            self._skip(_BLANK)
