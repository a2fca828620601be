"""This machine, in a line, and what runs on it: figures mean nothing without them."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ttsops import __version__
from ttsops.observe.gpu import gpu_names


def machine() -> str:
    """Cores and their name, memory, graphics cards."""
    return ", ".join([f"{os.cpu_count()} x {_cpu_name()}", *_memory(), *gpu_names()])


def versions(modules: Sequence[str]) -> dict[str, str]:
    """Of what speech is made with: tts-ops, Python, numpy and these, as far as they say."""
    found = {"tts-ops": __version__, "python": platform.python_version()}
    for module in ("numpy", *modules):
        try:
            found[module] = version(module)
        except PackageNotFoundError:  # the module has another name than what it is installed as
            continue
    return found


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
