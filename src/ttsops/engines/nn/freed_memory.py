"""Gives memory that was freed while loading back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress


def give_back_freed() -> None:
    """After weights were loaded, packed or rounded: what they were made from is gone, its pages are not.

    glibc keeps the holes between what is still used (https://man7.org/linux/man-pages/man3/malloc_trim.3.html).
    Does nothing where there is no such call.
    """
    gc.collect()
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
