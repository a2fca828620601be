"""What a long-lived process does with its heap once everything is loaded."""

from __future__ import annotations

import gc


def freeze_heap() -> None:
    """Take all that is there now out of the garbage collector's sight.

    Modules, classes and models live as long as the process. A full collection that walks them stops every
    stream for 20 to 40 ms, half of a first chunk's playing time; without them it takes microseconds.
    """
    gc.collect()
    gc.freeze()
