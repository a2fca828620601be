"""This machine, in a line: figures mean nothing without it. Needs no package."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from ttsops.observe.gpu import gpu_names


def machine() -> str:
    """Cores and their name, memory, graphics cards."""
    return ", ".join([f"{os.cpu_count()} x {_cpu_name()}", *_memory(), *gpu_names()])


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _memory() -> list[str]:
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not POSIX
        return []
    return [f"{n_bytes / 2**30:.0f} GiB"]
