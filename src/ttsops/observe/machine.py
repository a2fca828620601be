"""Memory of workers and room on disks, read when somebody asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil


class Machine:
    """What is looked at: told once, read at every scrape. Any thread may read."""

    def __init__(self) -> None:
        self._workers: dict[str, int] = {}
        self._folders: dict[str, Path] = {}

    def watch_worker(self, engine: str, pid: int | None) -> None:
        """The engine's worker is this process now; None: there is none."""
        if pid is None:
            self._workers.pop(engine, None)
        else:
            self._workers[engine] = pid

    def watch_disk(self, disk: str, folder: Path) -> None:
        """The disk that `folder` is on, or would be."""
        self._folders[disk] = folder.absolute()

    def worker_bytes(self) -> Iterator[tuple[str, int]]:
        """Resident memory by engine; of a worker that has just ended nothing."""
        for engine, pid in tuple(self._workers.items()):
            try:
                yield engine, int(psutil.Process(pid).memory_info().rss)
            except psutil.Error:
                continue

    def disks(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Free and all bytes, by what is kept there; of a disk that is gone nothing."""
        for disk, folder in tuple(self._folders.items()):
            there = next((one for one in (folder, *folder.parents) if one.exists()), None)
            try:
                usage = shutil.disk_usage(there or "/")
            except OSError:
                continue
            yield disk, (usage.free, usage.total)
