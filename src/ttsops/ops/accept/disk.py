"""A disk that fills up while speech is written: the error says so, and nothing half-written stays.

Where this process may mount, on a tmpfs of its own that is too small. Elsewhere a child may write files of a
few bytes only (RLIMIT_FSIZE): another error of the system, on the same way through our code.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ttsops.audio import Format, save_speech
from ttsops.errors import AudioError
from ttsops.ops.accept.gate import Failed, Finding
from ttsops.speech import SAMPLE_RATE, Samples

DISK_BYTES = 1 << 16
FILE_SECONDS = 5.0
"""Of speech: 240 kB as WAV, far more than there is room for."""

SMALL_SECONDS = 0.2
CHILD_SECONDS = 60.0

Save = Callable[[Path, Samples], None]
"""Function of a module: writes samples [N] into a file. Raises `AudioError` if it cannot."""


def save_wav(path: Path, samples: Samples) -> None:
    """As `ttsops say` writes files."""
    save_speech(path, samples, Format.WAV, "acceptance")


def check_disk_full(save: Save = save_wav, *, may_mount: bool = True) -> Finding:
    """The gate."""
    with tempfile.TemporaryDirectory(prefix="ttsops-accept-") as name:
        if may_mount:
            with _tiny_disk(Path(name)) as disk:
                if disk is not None:
                    _try(disk, save, lambda path: save(path, _noise(FILE_SECONDS)))
                    return Finding(f"on a disk of {DISK_BYTES >> 10} KiB")
        _try(Path(name), save, lambda path: _save_limited(save, path))
        return Finding(f"with files of {DISK_BYTES >> 10} KiB at most (no right to mount a small disk)")


def _try(folder: Path, save: Save, save_without_room: Callable[[Path], None]) -> None:
    """A file that fits, then one in its place that does not, then one that fits again."""
    path = folder / "speech.wav"
    small = _noise(SMALL_SECONDS)
    save(path, small)
    before = path.read_bytes()
    try:
        save_without_room(path)
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


def _save_limited(save: Save, path: Path) -> None:
    """In a child, since a limit is a whole process's. Raises what `save` raises there."""
    module, name = save.__module__, save.__name__
    command = [sys.executable, "-c", _CHILD, module, name, str(path)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=env, timeout=CHILD_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed("writing without room did not end") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Failed(f"writing without room ended the process: {''.join(last) or done.returncode}")
    problem = done.stdout.decode()
    if problem:
        raise AudioError(problem)


_CHILD = "import sys; from ttsops.ops.accept.disk import save_limited; save_limited(*sys.argv[1:])"


def save_limited(module: str, name: str, path: str) -> None:
    """What the child does: limits itself, writes, and says on stdout what went wrong."""
    save: Save = getattr(importlib.import_module(module), name)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))
    try:
        save(Path(path), _noise(FILE_SECONDS))
    except AudioError as error:
        sys.stdout.write(error.message)
