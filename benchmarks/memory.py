"""Memory of this process, and what of it a model's tensors are."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import torch


def tensors_below(part: Any, seen: set[int]) -> Iterator[torch.Tensor]:
    """All tensors that `part` holds; of several that share their memory, the first."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, torch.Tensor):
        address = part.untyped_storage().data_ptr()
        if address not in seen:
            seen.add(address)
            yield part
        return
    if isinstance(part, dict):
        inner = list(part.values())
    elif isinstance(part, list | tuple):
        inner = list(part)
    else:
        slots = [name for kind in type(part).__mro__ for name in getattr(kind, "__slots__", ())]
        inner = [getattr(part, name) for name in slots if hasattr(part, name)]
        inner += getattr(part, "__dict__", {}).values()
    for one in inner:
        yield from tensors_below(one, seen)


def kept_bytes(part: Any, seen: set[int]) -> int:
    """Memory of all tensors below `part`, as they are kept: packed, rounded, with their scales."""
    return sum(one.untyped_storage().nbytes() for one in tensors_below(part, seen))


def peak_bytes() -> int:
    """The most that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident_bytes() -> int:
    """What this process has now, once it has let go what it can."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


class PeakSince:
    """The most that this process has had since this was made. Linux only: elsewhere, ever."""

    def __init__(self) -> None:
        self._is_reset = False
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._is_reset = True
        except OSError:
            pass

    def bytes(self) -> int:
        if not self._is_reset:
            return peak_bytes()
        lines = Path("/proc/self/status").read_text().splitlines()
        high_water = next(line for line in lines if line.startswith("VmHWM:"))
        return int(high_water.split()[1]) * 1024
