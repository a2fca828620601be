"""A backup with a name that says when it was made."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from ttsops.errors import AudioError
from ttsops.ops.backup.archive import write_backup
from ttsops.ops.backup.state import State


def keep(state: State, folder: Path) -> Path:
    """Write it into `folder`, which is made if need be, for its owner only: settings may hold secrets.

    Raises `AudioError` if it cannot be written.
    """
    now = time.gmtime()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise AudioError(f"cannot write into `{folder}`: {error.strerror}") from error
    stem = time.strftime("ttsops-%Y%m%dT%H%M%SZ", now)
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    path = next(one for name in names if not (one := folder / f"{name}.tar.gz").exists())
    write_backup(path, state, time.strftime("%Y-%m-%dT%H:%M:%SZ", now))
    return path
