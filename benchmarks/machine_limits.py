"""What this machine can do at best: the bounds that a step of a model is compared with.

Few-row products read every weight once, so that reading memory bounds them; many-row products are bound by
arithmetic. Both are measured with torch, with the threads the model has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Limits:
    """Of one device."""

    read_bytes_per_second: float
    flops_per_second: float
    """fp32 on a CPU, in the weights' format elsewhere; a multiplication and an addition are two."""

    def floor_seconds(self, n_bytes: float, n_flops: float) -> float:
        """No faster than this: the longer of reading the weights and of the arithmetic."""
        return max(n_bytes / self.read_bytes_per_second, n_flops / self.flops_per_second)


def measure_limits(device: torch.device, dtype: torch.dtype = torch.float32) -> Limits:
    """Takes a second or two."""
    is_cpu = device.type == "cpu"
    data = torch.ones((256 if is_cpu else 2048) * 2**20 // 4, device=device)
    n = 2048 if is_cpu else 8192
    a, b = (torch.ones(n, n, device=device, dtype=dtype) for _ in range(2))
    reading = best_seconds(data.sum, device)
    multiplying = best_seconds(lambda: a @ b, device)
    return Limits(data.nbytes / reading, 2 * n**3 / multiplying)


def best_seconds(call: Callable[[], Tensor], device: torch.device, n_times: int = 7) -> float:
    """Of several tries; the first pays for what is done once."""
    call()
    best = float("inf")
    for _ in range(n_times):
        synchronise(device)
        started_at = time.perf_counter()
        call()
        synchronise(device)
        best = min(best, time.perf_counter() - started_at)
    return best


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
