"""Disk and memory of this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from ttsops.ops.checkup.check import Check, Word

GIB = 2**30
LOW_DISK_BYTES, NO_DISK_BYTES = 2 * GIB, GIB // 10
LOW_MEMORY_SHARE, NO_MEMORY_SHARE = 0.1, 0.03


def check_disks(folders: dict[str, Path]) -> Iterator[Check]:
    """One for each place that is written to; `folders` says what for."""
    for purpose, folder in {**folders, "temporary files": Path(tempfile.gettempdir())}.items():
        yield _check_disk(purpose, folder)


def _check_disk(purpose: str, folder: Path) -> Check:
    existing = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    try:
        usage = shutil.disk_usage(existing)
    except OSError as error:
        return Check(f"disk for {purpose}", "unknown", f"`{existing}` cannot be asked: {error.strerror}")
    word = _word(usage.free, LOW_DISK_BYTES, NO_DISK_BYTES)
    return Check(
        f"disk for {purpose}",
        word,
        f"{usage.free / GIB:.1f} of {usage.total / GIB:.0f} GiB free at `{existing}`",
        "" if word == "ok" else "make room: nothing partial is kept, but nothing more can be written",
        {"path": str(existing), "free_bytes": usage.free, "total_bytes": usage.total},
    )


def check_memory() -> Check:
    """What programs can still have without swapping."""
    memory = psutil.virtual_memory()
    share = memory.available / memory.total
    word = _word(share, LOW_MEMORY_SHARE, NO_MEMORY_SHARE)
    return Check(
        "memory",
        word,
        f"{memory.available / GIB:.1f} of {memory.total / GIB:.0f} GiB free",
        "" if word == "ok" else "fewer streams (`max_streams`), a smaller model, or fewer other programs",
        {"free_bytes": memory.available, "total_bytes": memory.total},
    )


def _word(value: float, low: float, none: float) -> Word:
    return "bad" if value < none else "warning" if value < low else "ok"
