"""A stand-in for a CUDA graph on the CPU: the kernels of one run, repeated on the very same memory.

Python is not run again: a number that it decided, a tensor that it made or bound anew stays what it was when
the recording was made. So a pass that only works because its Python is run each time fails here, as it would
on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Recording(TorchDispatchMode):
    """Every operation of what is run within it, with the tensors it read and those it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        """Each result goes where it went before."""
        for func, args, kwargs, before in self.calls:
            now = func(*args, **kwargs)
            for old, new in zip(tree_leaves(before), tree_leaves(now), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class RecordingCapture:
    """Counts what was captured and what was replayed."""

    def __init__(self) -> None:
        self.n_captured = 0
        self.n_replayed = 0

    def __call__(self, function: Callable[[], None]) -> Callable[[], None]:
        with Recording() as recording:
            function()
        assert recording.calls
        self.n_captured += 1

        def replay() -> None:
            self.n_replayed += 1
            recording.replay()

        return replay
