"""Times calls by name: what a component takes of the whole."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import torch

from benchmarks.machine_limits import synchronise


class Meter:
    """Stands before methods and adds up the time of their calls."""

    def __init__(self, device: torch.device | None = None) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._device = device or torch.device("cpu")
        self._wrapped: list[tuple[Any, str, Any]] = []

    def wrap(self, owner: Any, method: str, name: str) -> None:
        """From now on calls of `owner.method` count as `name`."""
        inner = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            synchronise(self._device)
            started_at = time.perf_counter()
            result = inner(*args, **kwargs)
            synchronise(self._device)
            self.seconds[name] += time.perf_counter() - started_at
            return result

        setattr(owner, method, timed)
        self._wrapped.append((owner, method, inner))

    def leave(self) -> None:
        """Calls are what they were."""
        while self._wrapped:
            owner, method, inner = self._wrapped.pop()
            setattr(owner, method, inner)


class Span:
    """How long a `with` block takes, on the clock and on the processor."""

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> Span:
        synchronise(self._device)
        self._started_at, self._cpu_started_at = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *exception: object) -> None:
        synchronise(self._device)
        self.seconds = time.perf_counter() - self._started_at
        self.cpu_seconds = time.process_time() - self._cpu_started_at

    def facts(self) -> dict[str, float]:
        """`cpu_seconds` are of all threads: they say what a shared machine's clock does not."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
