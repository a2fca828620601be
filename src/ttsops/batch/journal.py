"""What is done: a record for each line of the manifest that was spoken or failed, in the order they ended.

It is only ever appended to, and every record is on the disk before `append` returns. What a crash left of a
last record is cut off when it is opened.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TypeAlias

import msgspec

from ttsops.batch.order import Defaults
from ttsops.errors import AudioError, JobDamaged

FILE = "journal.jsonl"
VERSION = 1


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun"):
    """The first record: what the batch was begun with."""

    version: int = VERSION
    defaults: Defaults


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag="loaded"):
    """An engine that speaks in it, and what is in the files of its weights."""

    engine: str
    weights: dict[str, str]


class Spoken(msgspec.Struct, frozen=True, kw_only=True, tag="spoken"):
    """Its file is there, and whole."""

    line: int
    id: str
    digest: str
    file: str
    n_bytes: int
    audio_seconds: float
    engine: str
    voice: str


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """Trying again would not change it."""

    line: int
    id: str
    digest: str
    code: str
    message: str


Record: TypeAlias = Begun | Loaded | Spoken | Failed


class Journal:
    """An open journal, and what it says. `append` may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Raises `JobDamaged` for one that cannot be read, `AudioError` for one that cannot be written."""
        self._path = folder / FILE
        self._lock = threading.Lock()
        self.defaults: Defaults | None = None
        """None of a batch that was not begun."""

        self.weights: dict[str, dict[str, str]] = {}
        """By engine."""

        self.ended: dict[str, Spoken | Failed] = {}
        """What was last said of each id."""

        try:
            self._n_bytes = self._read()
            self._file = self._path.open("ab", buffering=0)
            self._file.truncate(self._n_bytes)
        except OSError as e:
            raise AudioError(f"cannot write `{self._path}`: {e.strerror}") from e

    def append(self, record: Record) -> None:
        """On the disk when it returns. Raises `AudioError` when that is full; then nothing was appended."""
        data = msgspec.json.encode(record) + b"\n"
        with self._lock:
            try:
                if self._file.write(data) != len(data):
                    raise OSError(0, "there is no room for it")
                os.fsync(self._file.fileno())
            except OSError as e:
                self._file.truncate(self._n_bytes)
                raise AudioError(f"cannot write `{self._path}`: {e.strerror or e}") from e
            self._n_bytes += len(data)
            self._take(record)

    def close(self) -> None:
        """Nothing more is appended."""
        self._file.close()

    def _read(self) -> int:
        """Bytes up to the last record that is whole."""
        n_bytes = 0
        if not self._path.exists():
            return n_bytes
        with self._path.open("rb") as file:
            for number, data in enumerate(file, start=1):
                if not data.endswith(b"\n"):
                    break
                try:
                    self._take(msgspec.json.decode(data, type=Record))
                except (msgspec.DecodeError, UnicodeDecodeError) as e:
                    raise JobDamaged(
                        f"`{self._path}` line {number} is no record of a batch: {e}",
                        hint="begin anew in another folder, or take the line out: what it told is done again",
                    ) from e
                n_bytes += len(data)
        return n_bytes

    def _take(self, record: Record) -> None:
        match record:
            case Begun():
                self.defaults = record.defaults
            case Loaded():
                self.weights[record.engine] = record.weights
            case _:
                self.ended[record.id] = record
