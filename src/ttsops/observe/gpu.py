"""What the GPU driver says (NVML), read when somebody asks.

Knows nothing of engines: the figures are those of the whole device, other processes included. Needs the `gpu`
extra; without it, or without a driver, there is nothing to read.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One device now."""

    index: str
    """As the driver numbers them, from `0`."""

    utilization_percent: float | None
    """0 to 100: share of the last sampling period in which a kernel ran. None for a MIG slice."""

    memory_used_bytes: int


class GpuReader:
    """Keeps the driver open between readings, and opens it again after it failed.

    Any thread may read; readings do not overlap.
    """

    def __init__(self) -> None:
        self._nvml: Any = None
        self._lock = threading.Lock()

    def read(self) -> list[GpuSample]:
        """Every device that answers; empty without NVML."""
        with self._lock:
            if self._nvml is None:
                self._nvml = _open_nvml()
            if self._nvml is None:
                return []
            try:
                n_devices = self._nvml.nvmlDeviceGetCount()
                return [s for s in map(self._read_device, range(n_devices)) if s is not None]
            except self._nvml.NVMLError:
                self._nvml = None  # the driver was updated under us; the next reading opens it again
                return []

    def _read_device(self, index: int) -> GpuSample | None:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            used = int(nvml.nvmlDeviceGetMemoryInfo(handle).used)
        except nvml.NVMLError:
            return None  # it fell off the bus; the others still answer
        try:
            percent = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except nvml.NVMLError:
            return GpuSample(str(index), None, used)
        return GpuSample(str(index), percent, used)


def gpu_names() -> list[str]:
    """Of every device, as the driver calls them; empty without NVML."""
    nvml = _open_nvml()
    if nvml is None:
        return []
    try:
        handles = map(nvml.nvmlDeviceGetHandleByIndex, range(nvml.nvmlDeviceGetCount()))
        return [str(nvml.nvmlDeviceGetName(handle)) for handle in handles]
    except nvml.NVMLError:
        return []


def _open_nvml() -> Any:
    """The opened `pynvml` module, or None."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return nvml
