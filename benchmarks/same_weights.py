"""The same random weights in a published implementation as in ours, tensor by tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ttsops.engines.nn.weights import RandomWeights


class Into(RandomWeights):
    """Gives a model of ours its weights while it is built, and puts the same into the reference.

    Names in the reference are without `prefix`. Ends the program if one of them has what the other has not.
    """

    def __init__(self, weights: RandomWeights, reference: Any, prefix: str = "") -> None:
        self.__dict__.update(weights.__dict__)
        self._left = {f"{prefix}{name}": tensor for name, tensor in reference.state_dict().items()}

    def place(self, name: str) -> str:
        """What the reference calls the tensor."""
        return name

    @torch.no_grad()
    def take(self, name: str, *shape: int, **how: Any) -> torch.Tensor:
        tensor = super().take(name, *shape, **how)
        there = self._left.pop(self.place(name), None)
        if there is None or there.numel() != tensor.numel():
            found = "nothing" if there is None else f"{list(there.shape)}"
            raise SystemExit(f"error: `{name}` is {list(shape)} here, and {found} in the reference")
        there.copy_(tensor)
        return tensor

    def finish(self, ignored: Sequence[str] = ()) -> None:
        """Both have the same weights. `ignored` are the beginnings of names that ours need not have."""
        unknown = [name for name in self._left if not name.startswith(tuple(ignored))]
        if unknown:
            raise SystemExit(f"error: the reference has weights that we have not: {unknown[:5]}")
