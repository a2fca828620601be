"""Who changes a folder of voices has it to himself, and leaves a mark that it is another one."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ttsops.voices.keeping import clear_errors

LOCK_NAME = ".lock"
DRAFT, GONE = ".draft-", ".gone-"
"""How the names of what is not there yet, or no more, begin."""


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """The folder, which is made if need be, to oneself. Raises `AudioError` if it cannot be written.

    Leftovers of those who did not get to the end are removed first.
    """
    with clear_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_NAME).open("wb")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when the file is closed, also by a kill
        for pattern in (f"{DRAFT}*", f"{GONE}*"):
            for leftover in folder.glob(pattern):
                shutil.rmtree(leftover, ignore_errors=True)
        try:
            yield
        finally:
            # What changes inside of a voice does not show in the folder's own time.
            with suppress(OSError):
                later = max(time.time_ns(), mark_of(folder) + 1)
                os.utime(folder, ns=(later, later))


def mark_of(folder: Path) -> int:
    """Another value after every change, by any process: one `stat`; 0 without a folder."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
