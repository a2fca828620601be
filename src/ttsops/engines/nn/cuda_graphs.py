"""Runs a sequence of kernels as one, where the device can: captured once for each shape, then replayed.

What is captured are addresses, not values: a function reads and writes memory that is allocated once, and
gives nothing back. What changes from call to call is copied into that memory before.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import torch

logger = logging.getLogger(__name__)

Pass: TypeAlias = Callable[..., None]
"""Takes the sizes of its shapes, whole numbers, and nothing else."""

Capture: TypeAlias = Callable[[Callable[[], None]], Callable[[], None]]
"""From a function without arguments to one that repeats its kernels on the same memory."""

N_REPORTS = 10
"""How often preparing tells how far it is."""


class GraphCache:
    """Passes by name and sizes. Without `capture` each is simply called."""

    def __init__(self, capture: Capture | None = None) -> None:
        self._capture = capture
        self._replays: dict[tuple[str, tuple[int, ...]], Callable[[], None]] = {}

    def run(self, function: Pass, *sizes: int) -> None:
        """Replay it if it was prepared, call it if not: nothing is captured while listeners wait."""
        replay = self._replays.get((function.__name__, sizes))
        if replay is None:
            function(*sizes)
        else:
            replay()

    def prepare(self, wanted: Sequence[tuple[Pass, tuple[int, ...]]]) -> None:
        """Capture passes, the largest first: those after it find room in its memory.

        If the device refuses one, it and all that are left are called instead, and a warning says so.
        """
        if self._capture is None:
            return
        started_at = time.perf_counter()
        for i, (function, sizes) in enumerate(wanted, start=1):
            try:
                self._replays[function.__name__, sizes] = self._capture(partial(function, *sizes))
            except RuntimeError as e:
                logger.warning(
                    "%d of %d passes were captured, then `%s` %s failed; the rest run kernel by kernel: %s",
                    i - 1,
                    len(wanted),
                    function.__name__,
                    sizes,
                    e,
                )
                return
            if i == len(wanted) or i % -(-len(wanted) // N_REPORTS) == 0:
                seconds = time.perf_counter() - started_at
                logger.info("captured %d of %d passes in %.1f s", i, len(wanted), seconds)


class CudaCapture:
    """Captures on a stream of its own; all graphs share one pool of memory.

    They may, for none reads what another computed into the pool, and they run one after the other.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, function: Callable[[], None]) -> Callable[[], None]:
        """`function` runs once as it is before, so that libraries load and choose what they need."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            function()
        current.wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads of the process may talk to the device meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            function()
        return graph.replay


def graphs_for(device: torch.device) -> GraphCache:
    """Graphs on CUDA, plain calls elsewhere."""
    return GraphCache(CudaCapture(device) if device.type == "cuda" else None)
