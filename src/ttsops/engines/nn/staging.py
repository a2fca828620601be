"""Fixed memory on both sides of a device: filled here and sent, or computed there and fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor


class ToDevice:
    """Numbers that the host writes and the device reads, each in one place for good.

    On CUDA the host's side is pinned and sending waits for nothing: it may be written again only when the
    device is known to have come past it.
    """

    def __init__(self, shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> None:
        self._host = _host_zeros(shape, dtype, device)
        self.host: npt.NDArray[Any] = self._host.numpy()
        self.device = torch.zeros(*shape, dtype=dtype, device=device)

    def send(self, n: int) -> None:
        """Copy the first `n` along the first dimension."""
        self.device[:n].copy_(self._host[:n], non_blocking=True)


class ToHost:
    """Numbers that the device writes and the host reads."""

    def __init__(self, shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> None:
        self.device = torch.zeros(*shape, dtype=dtype, device=device)
        self._host = _host_zeros(shape, dtype, device)

    def fetch(self, n: int) -> npt.NDArray[Any]:
        """A copy of the first `n` along the first dimension. Waits for all that the device has to do."""
        self._host[:n].copy_(self.device[:n], non_blocking=True)
        if self.device.device.type == "cuda":
            torch.cuda.current_stream(self.device.device).synchronize()
        fetched: npt.NDArray[Any] = self._host[:n].numpy().copy()
        return fetched


def _host_zeros(shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.zeros(*shape, dtype=dtype, pin_memory=device.type == "cuda")
