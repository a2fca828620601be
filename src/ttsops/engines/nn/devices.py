"""Which device and number format an `EngineConfig` means on this machine.

The rules are in `ttsops.models.policy`; here the machine is asked what it has.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import psutil
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.many_rows import make_rounded
from ttsops.engines.nn.native import cpu_features
from ttsops.models import policy
from ttsops.models.policy import DEFAULT_DTYPES, INT8
from ttsops.models.safetensors import count_parameters

logger = logging.getLogger(__name__)

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def pick_device(config: EngineConfig) -> torch.device:
    """`auto` prefers an accelerator, but for int8 weights; the log says why.

    Raises `ConfigError` for what is no device, `EngineUnavailable` for one that is not on this machine.
    """
    choice = policy.choose_device(
        config.device,
        n_cuda=torch.cuda.device_count(),
        has_mps=torch.backends.mps.is_available(),
        dtype=config.dtype,
    )
    logger.info("device `%s`: %s", choice.value, choice.reason)
    return torch.device(choice.value)


def pick_dtype(
    config: EngineConfig, device: torch.device, dtypes: Mapping[str, str] = DEFAULT_DTYPES
) -> torch.dtype:
    """Of what is computed: `auto` is what `dtypes` says of the device, `int8` weights are multiplied in fp32.

    Raises `ConfigError` for one that is not supported on `device`.
    """
    choice = policy.choose_dtype(config.dtype, device.type, dtypes)
    logger.info("dtype `%s` on `%s`: %s", choice.value, device, choice.reason)
    return torch.float32 if choice.value == INT8 else DTYPES[choice.value]


def check_half(dtype: torch.dtype, device: torch.device) -> None:
    """Raises `ConfigError` for half precision that a processor would emulate, six times as slow as fp32."""
    policy.check_half(NAMES[dtype], device.type, cpu_features())


def check_memory(weights: Path, config: EngineConfig, device: torch.device, dtype: torch.dtype) -> None:
    """Raises `EngineUnavailable` if the weights at `weights`, a file or folder, do not fit on `device`."""
    name = INT8 if config.dtype == INT8 else NAMES[dtype]
    policy.check_memory(count_parameters(weights), name, str(device), free_bytes(device))


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
