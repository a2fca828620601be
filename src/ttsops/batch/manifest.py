"""The manifest: a JSON object per line, each a text and how to speak it.

    {"id": "welcome", "text": "Good morning.", "voice": "en-us", "format": "mp3"}

Strict: an unknown key, a second line of the same id or an id that is no safe file name is refused, with its
line's number, before anything is spoken. Whether an engine can speak a line is not looked at here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from ttsops.audio import Format
from ttsops.errors import InvalidValue
from ttsops.speech import OptionValue

MAX_LINE_BYTES = 2**20
MAX_TEXT_CHARS = 20_000
"""About twenty minutes of speech, which are held in memory until they are encoded."""

MAX_PROBLEMS = 10
"""Told at once."""

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_BOM = b"\xef\xbb\xbf"


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line. What it leaves out is the batch's default."""

    text: str
    id: str = ""
    """Names the file; the line's number if it is left out."""

    engine: str = ""
    voice: str = ""
    language: str = ""
    format: Format | None = None
    speed: float | None = None
    pitch: float | None = None
    seed: int | None = None
    options: dict[str, OptionValue] | None = None
    """What only the engine takes."""

    def digest(self) -> str:
        """Other for a line that asks for anything else."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:32]


class Manifest:
    """An open manifest, whose lines can be gone through several times. One line is held at a time."""

    def __init__(self, path: Path) -> None:
        """Raises `InvalidValue` if it cannot be read."""
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as e:
            raise InvalidValue(f"cannot read `{path}`: {e.strerror}", param="manifest") from e

    def close(self) -> None:
        """Nothing more is read."""
        self._file.close()

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Number, from 1, and line; empty ones are left out.

        Raises `InvalidValue` that tells the first wrong lines, at the first of them if it is an id that is
        there twice or after them all.
        """
        problems: list[str] = []
        ids: set[str] = set()
        for number, data in self._raw_lines():
            try:
                line = _parse(number, data)
                # Some file systems take `A.wav` and `a.wav` for one.
                if line.id.casefold() in ids:
                    raise _Wrong(f"the id `{line.id}` is there already")
            except _Wrong as e:
                problems.append(f"line {number}: {e}")
                if len(problems) == MAX_PROBLEMS:
                    break
                continue
            ids.add(line.id.casefold())
            if not problems:
                yield number, line
        if problems:
            raise InvalidValue(
                f"`{self._path}`: " + "\n  ".join(problems),
                hint=f"a line is a JSON object of {', '.join(Line.__struct_fields__)}; `text` must be there",
                param="manifest",
            )

    def _raw_lines(self) -> Iterator[tuple[int, bytes]]:
        self._file.seek(0)
        number = 0
        while data := self._read_line():
            number += 1
            data = data.removeprefix(_BOM) if number == 1 else data
            if data.strip():
                yield number, data

    def _read_line(self) -> bytes:
        """With its end; of a line that is too long, what shows that it is."""
        try:
            data = self._file.readline(MAX_LINE_BYTES + 1)
            rest = data
            while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = self._file.readline(MAX_LINE_BYTES + 1)
        except OSError as e:
            raise InvalidValue(f"cannot read `{self._path}`: {e.strerror}", param="manifest") from e
        return data


class _Wrong(Exception):
    """What is wrong with a line."""


def _parse(number: int, data: bytes) -> Line:
    if len(data) > MAX_LINE_BYTES:
        raise _Wrong(f"it is longer than {MAX_LINE_BYTES} bytes")
    try:
        line = msgspec.json.decode(data, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise _Wrong(str(e)) from e
    if len(line.text) > MAX_TEXT_CHARS:
        raise _Wrong(
            f"the text has {len(line.text)} characters, a line at most {MAX_TEXT_CHARS}; "
            "`ttsops render` makes long recordings"
        )
    if not line.id:
        return msgspec.structs.replace(line, id=str(number))
    if not _SAFE_ID.fullmatch(line.id):
        raise _Wrong(
            f"the id {line.id[:100]!r} is no safe file name: 1 to 100 of A-Z, a-z, 0-9, `.`, `_`, `-`, the "
            "first a letter or digit"
        )
    return line
