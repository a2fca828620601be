"""What can be captured: every pass of a step, and a device that refuses what a capture could not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ttsops.engines.vibevoice_realtime.static_passes import StaticPasses


def every_pass(passes: StaticPasses, n_streams: int) -> Iterator[tuple[Callable[..., None], tuple[int, ...]]]:
    """In a few sizes."""
    for n in (1, 4, n_streams):
        yield passes.read_latents, (n, 64)
        yield passes.read_windows, (n, 128)
        yield passes.denoise, (n, 5)
        yield passes.decode, (n,)


class OneDevice(TorchDispatchMode):
    """Refuses what is on the CPU in any operation, single numbers too: a capture must not copy from there."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.namespace == "aten" and func._can_decompose():
            with self:
                if (result := func.decompose(*args, **(kwargs or {}))) is not NotImplemented:
                    return result
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            assert not isinstance(leaf, Tensor) or leaf.device.type != "cpu", f"{func} takes from the CPU"
        return result
