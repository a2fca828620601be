"""A disk that fills up while speech is written: the error says so, and nothing half-written stays.

Where this process may mount, on a tmpfs of its own that is too small. Elsewhere a child may write files of a
few bytes only (RLIMIT_FSIZE): another error of the system, on the same way through our code.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from ttsops.audio import Format, save_speech
from ttsops.errors import AudioError
from ttsops.ops.accept.gate import Failed, Finding, Skipped
from ttsops.speech import SAMPLE_RATE, Samples

DISK_BYTES = 1 << 16
FILE_SECONDS = 5.0
"""Of speech: 240 kB as WAV, far more than there is room for."""

SMALL_SECONDS = 0.2
CHILD_SECONDS = 60.0

Save = Callable[[Path, Samples], None]
"""Writes samples [N] into a file. Raises `AudioError` if it cannot."""


def save_wav(path: Path, samples: Samples) -> None:
    """As `ttsops say` writes files."""
    save_speech(path, samples, Format.WAV, "acceptance")


def check_disk_full(save: Save = save_wav, *, may_mount: bool = True) -> Finding:
    """The gate."""
    with tempfile.TemporaryDirectory(prefix="ttsops-accept-") as name:
        if may_mount:
            with _tiny_disk(Path(name)) as disk:
                if disk is not None:
                    _try(disk, save, lambda path, samples: save(path, samples))
                    return Finding(f"on a disk of {DISK_BYTES >> 10} KiB")
        _try(Path(name), save, lambda path, samples: _save_limited(save, path, samples))
        return Finding(f"with files of {DISK_BYTES >> 10} KiB at most (no right to mount a small disk)")


def _try(folder: Path, save: Save, save_without_room: Save) -> None:
    """A file that fits, then one in its place that does not, then one that fits again."""
    path = folder / "speech.wav"
    small, large = _noise(SMALL_SECONDS), _noise(FILE_SECONDS)
    save(path, small)
    before = path.read_bytes()
    try:
        save_without_room(path, large)
    except AudioError as error:
        if str(path) not in error.message:
            raise Failed(f"the error does not name the file: {error.message}") from error
    else:
        raise Failed("writing more than there is room for was told as a success")
    left = sorted(one.name for one in folder.iterdir() if one != path)
    if left:
        raise Failed(f"a full disk leaves `{left[0]}` behind")
    if path.read_bytes() != before:
        raise Failed("a full disk leaves half of the new file in the place of the old one")
    save(path, small)


def _noise(seconds: float) -> Samples:
    samples = np.random.default_rng(0).normal(0, 0.1, round(seconds * SAMPLE_RATE))
    return samples.astype(np.float32)


@contextmanager
def _tiny_disk(parent: Path) -> Iterator[Path | None]:
    """A tmpfs of 64 KiB; None where it may not be mounted."""
    disk = parent / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:  # no such program
        done = None
    if done is None or done.returncode:
        disk.rmdir()
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], capture_output=True, check=False)
        disk.rmdir()


def _save_limited(save: Save, path: Path, samples: Samples) -> None:
    """In a child, since a limit is a whole process's. Raises what `save` raises there."""
    context = get_context("spawn")  # a fork of a process with threads may never end
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_limited, args=(save, path, samples, there))
    child.start()
    there.close()
    try:
        if not here.poll(CHILD_SECONDS):
            raise Skipped("the child that should fill the disk did not answer")
        problem = here.recv()
    except EOFError:
        raise Failed("writing without room ended the process") from None
    finally:
        child.join(CHILD_SECONDS)
        here.close()
    if problem is not None:
        raise AudioError(problem)


def _limited(save: Save, path: Path, samples: Samples, connection: Connection) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))
    try:
        save(path, samples)
    except AudioError as error:
        connection.send(error.message)
    else:
        connection.send(None)
