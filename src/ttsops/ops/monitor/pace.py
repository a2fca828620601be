"""What this machine's CPU can do right now: a fixed work that knows nothing of engines."""

from __future__ import annotations

import time
import zlib

import numpy as np

_BYTES = bytes(range(256)) * 2048
_WAVE = np.linspace(-3.0, 3.0, 50_000)
N_TURNS = 2000


def fixed_work() -> float:
    """Do it once, on one core; the seconds it took, about ten milliseconds."""
    started_at = time.perf_counter()
    checksum = zlib.crc32(_BYTES)
    total = float(np.tanh(_WAVE).sum())
    for turn in range(N_TURNS):
        checksum = (checksum * 31 + turn) & 0xFFFFFFFF
        total += checksum & 1
    return time.perf_counter() - started_at
