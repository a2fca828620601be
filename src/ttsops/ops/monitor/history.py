"""The history: a file with a line of JSON for each run, only ever added to.

A line is written in one call and is on the disk when `append_run` returns. If the machine stops in the middle
of it, the torn line is told by the next reader and the next run begins a line of its own.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ttsops.errors import AudioError, InvalidValue
from ttsops.ops.monitor.record import FORMAT, Run, Subject


@dataclass(frozen=True, slots=True)
class History:
    """Every run that can be read, oldest first."""

    runs: tuple[Run, ...] = ()
    damaged: tuple[int, ...] = ()
    """Numbers of the lines that cannot be read, from 1."""


def read_history(path: Path) -> History:
    """Empty if there is no such file. Raises `InvalidValue` if it cannot be read at all."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise InvalidValue(f"cannot read the history `{path}`: {error.strerror}") from error
    runs, damaged = [], []
    for number, line in enumerate(lines, 1):
        try:
            run = msgspec.json.decode(line, type=Run)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            if line.strip():
                damaged.append(number)
            continue
        if run.format == FORMAT:
            runs.append(run)
        else:
            damaged.append(number)
    return History(tuple(runs), tuple(damaged))


def append_run(path: Path, run: Run) -> None:
    """Add a line. Raises `AudioError` if that cannot be done; the file is then as it was."""
    line = msgspec.json.encode(run) + b"\n"
    with _clear_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # let go of when it is closed, also by a kill
            size = os.fstat(descriptor).st_size
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            _write_whole(descriptor, (b"\n" if is_torn else b"") + line, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def comparable(runs: Sequence[Run], subject: Subject, n_runs: int) -> tuple[Run, ...]:
    """The last `n_runs` of the same engine, machine and set-up that were no regression, oldest first.

    A regression is no norm for what comes after it; a run that began a new baseline hides what was before.
    """
    same = [run for run in runs if run.subject.key == subject.key]
    starts = [index for index, run in enumerate(same) if run.is_new_baseline]
    current = same[starts[-1] :] if starts else same
    return tuple(run for run in current if run.verdict.word == "ok")[-n_runs:]


def _write_whole(descriptor: int, data: bytes, size: int) -> None:
    try:
        n_written = os.write(descriptor, data)
        if n_written < len(data):
            raise OSError(errno.ENOSPC, "no space left for the whole line")
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"cannot write the history `{path}`: {error.strerror}") from error
