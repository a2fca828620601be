"""Which device and number format an `EngineConfig` means on this machine."""

from __future__ import annotations

from functools import partial

import psutil
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.many_rows import make_rounded
from ttsops.engines.nn.native import cpu_features
from ttsops.errors import ConfigError, EngineUnavailable

INT8 = "int8"
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

HALF_FEATURES = {
    torch.float16: frozenset({"avx512_fp16", "amx_fp16"}),
    torch.bfloat16: frozenset({"avx512_bf16", "amx_bf16"}),
}
"""Any of these, as Linux names them, multiplies in this format."""


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
    """Of what is computed: `auto` is bf16 on CUDA and fp32 elsewhere, `int8` weights are multiplied in fp32.

    Raises `ConfigError` for one that is not supported on `device`.
    """
    if config.dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if config.dtype == INT8 and device.type == "cpu":
        return torch.float32
    if config.dtype not in DTYPES:
        raise ConfigError(
            f"dtype `{config.dtype}` is not supported on `{device.type}`",
            hint="`auto`, `fp32`, `fp16` or `bf16`, and `int8` on a CPU",
        )
    return DTYPES[config.dtype]


def check_half(dtype: torch.dtype, device: torch.device) -> None:
    """Raises `ConfigError` for half precision that a processor would emulate, six times as slow as fp32."""
    if device.type != "cpu" or dtype not in HALF_FEATURES:
        return
    features = cpu_features()
    if features and not features & HALF_FEATURES[dtype]:
        raise ConfigError(
            f"this processor does not compute in {str(dtype).removeprefix('torch.')}",
            hint="set `dtype` to `fp32`, or to `int8` if memory or time is short",
            param="dtype",
        )


def pick_layer(config: EngineConfig, device: torch.device, dtype: torch.dtype) -> MakeLayer:
    """How linear layers are kept: packed for few rows on a CPU, with 8-bit weights if `int8` is asked for."""
    if device.type != "cpu" or dtype != torch.float32:
        return Linear
    return partial(pack, bits=8 if config.dtype == INT8 else 32)


def pick_many_rows_layer(config: EngineConfig, device: torch.device) -> MakeLayer:
    """How the linear layers of a whole utterance are kept: rounded on a CPU if `int8` is asked for."""
    return make_rounded if device.type == "cpu" and config.dtype == INT8 else Linear


def free_bytes(device: torch.device) -> int:
    """Memory that can still be had on `device`."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    return int(psutil.virtual_memory().available)
