"""A checkpoint whose tensors have other names than a network asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ttsops.engines.nn.weights import Weights


class RenamedWeights:
    """`rename` turns the name that is asked for into the one that is stored; faults tell the stored one."""

    def __init__(self, weights: Weights, rename: Callable[[str], str]) -> None:
        self._weights = weights
        self._rename = rename
        self.device, self.dtype, self.layer = weights.device, weights.dtype, weights.layer

    def take(
        self, name: str, *shape: int, dtype: torch.dtype | None = None, fan_in: int | None = None
    ) -> Tensor:
        """See `Weights`."""
        return self._weights.take(self._rename(name), *shape, dtype=dtype, fan_in=fan_in)

    def stored_dtype(self, name: str) -> torch.dtype:
        """See `Weights`."""
        return self._weights.stored_dtype(self._rename(name))

    def finish(self, ignored: Sequence[str] = ()) -> None:
        """See `Weights`; `ignored` are renamed as well."""
        self._weights.finish([self._rename(name) for name in ignored])
