"""Which device and number format an `EngineConfig` means on this machine."""

from __future__ import annotations

import psutil
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.errors import ConfigError, EngineUnavailable

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def pick_device(config: EngineConfig) -> torch.device:
    """`auto` prefers an accelerator.

    Raises `ConfigError` for what is no device, `EngineUnavailable` for one that is not on this machine.
    """
    has_mps = torch.backends.mps.is_available()
    if config.device == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    try:
        device = torch.device(config.device)
    except RuntimeError as e:
        raise ConfigError(f"`{config.device}` is no device", hint="`auto`, `cpu`, `cuda:N` or `mps`") from e
    is_here = {"cpu": True, "mps": has_mps, "cuda": (device.index or 0) < torch.cuda.device_count()}
    if not is_here.get(device.type, False):
        raise EngineUnavailable(f"there is no device `{config.device}` on this machine", hint="try `auto`")
    return device


def pick_dtype(config: EngineConfig, device: torch.device) -> torch.dtype:
    """`auto` is bf16 on CUDA and fp32 elsewhere. Raises `ConfigError` for one that is not supported."""
    if config.dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if config.dtype not in DTYPES:
        raise ConfigError(f"dtype `{config.dtype}` is not supported", hint="`auto`, `fp32`, `fp16` or `bf16`")
    return DTYPES[config.dtype]


def free_bytes(device: torch.device) -> int:
    """Memory that can still be had on `device`."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    return int(psutil.virtual_memory().available)
