"""Files that are either whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ttsops.errors import AudioError, InvalidValue

LOCK_FILE = "lock"
"""In a claimed folder."""


class FileWriter:
    """A file that is being written; `atomic_file` makes one and ends it."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        """As the caller named it."""
        self._target = Path(os.path.realpath(path))
        self._draft: Path | None = None
        """Where the bytes go until they are complete; None for what cannot be replaced."""
        with _clear_errors(path):
            if self._target.exists() and not self._target.is_file():
                self._file = self._target.open("wb")
            else:
                self._draft = self._target.with_name(
                    f".{self._target.name[:100]}.{secrets.token_hex(4)}.part"
                )
                self._file = self._draft.open("xb")

    def write(self, data: bytes) -> None:
        """Append. Raises `AudioError` if it cannot (disk full)."""
        with _clear_errors(self.path):
            self._file.write(data)

    def commit(self) -> None:
        """Everything to disk, then into its place. Raises `AudioError`, and then nothing is left."""
        try:
            with _clear_errors(self.path):
                self._file.flush()
                if self._draft is None:
                    return
                os.fsync(self._file.fileno())
                if self._target.exists():
                    os.fchmod(self._file.fileno(), self._target.stat().st_mode)
                self._draft.replace(self._target)
                self._draft = None
                sync_directory(self._target.parent)
        finally:
            self.discard()

    def discard(self) -> None:
        """Close, and remove what has not found its place. Never raises."""
        with suppress(OSError):
            self._file.close()
        if self._draft is not None:
            self._draft.unlink(missing_ok=True)
            self._draft = None


@contextmanager
def atomic_file(path: Path | str) -> Iterator[FileWriter]:
    """A file to write to, which appears at `path` when the block ends without an error.

    Until then, and after any error, what was at `path` stays as it was and nothing is left beside it. A new
    file gets the permissions that the umask leaves; a replaced one keeps its own. A link is followed. What
    is no regular file (a pipe, `/dev/null`) cannot be replaced and is written to directly.

    Raises `AudioError` if the file cannot be written: no such directory, no permission, disk full. An error
    of the block itself passes through.
    """
    writer = FileWriter(path)
    try:
        yield writer
        writer.commit()
    finally:
        writer.discard()


def write_atomically(path: Path | str, data: bytes) -> None:
    """Put `data` into the file at `path`, or leave it as it was and raise `AudioError`."""
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def claimed_folder(folder: Path, what: str) -> Iterator[None]:
    """A folder that is made if need be, and this process's alone inside the block, however the process ends.

    Raises `InvalidValue` if another process is `what` (`rendering`) into it, `AudioError` if it cannot be
    made.
    """
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise AudioError(f"cannot write `{folder}`: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidValue(f"another process is {what} into `{folder}`", param="out") from error
        yield


@contextmanager
def _clear_errors(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"cannot write `{path}`: {error.strerror or error}") from error


def sync_directory(directory: Path) -> None:
    """Make a new name in it survive a power cut. Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
