"""Which number format a device is trusted with: found by letting it speak, not by what it is called.

A small random model says a few frames in half precision on the device and in fp32 on the CPU. That shows
whether the device's kernels are there and right; it cannot show that larger, trained weights stay within the
range of fp16.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.devices import pick_device, pick_dtype
from ttsops.models.policy import AUTO
from ttsops.speech import Samples

logger = logging.getLogger(__name__)

MAX_ERROR = 0.02
"""Of the samples, root mean square, in units of their own. bf16 on a CPU is at 0.01, fp16 below."""

Prove: TypeAlias = Callable[[torch.device, torch.dtype], torch.dtype]
"""A device and a half format → that format, or fp32."""


def pick_proven(
    config: EngineConfig, device: torch.device, dtypes: Mapping[str, str], prove: Prove
) -> torch.dtype:
    """As `pick_dtype`, but half precision that `auto` takes on MPS has to pass the test `prove`.

    Raises `ConfigError` for a format that is not supported on `device`.
    """
    dtype = pick_dtype(config, device, dtypes)
    if config.dtype == "auto" and device.type == "mps" and dtype != torch.float32:
        return prove(device, dtype)
    return dtype


def pick_proven_device(
    config: EngineConfig,
    pick_format: Callable[[EngineConfig, torch.device], torch.dtype],
    speaks_as_exact: Callable[[torch.device, torch.dtype], bool],
) -> tuple[torch.device, torch.dtype]:
    """Device and format. What nobody asked for has to prove itself: an MPS that fails in fp32, too, is left.

    Raises what `pick_device` and `pick_format` raise.
    """
    cpu = torch.device("cpu")
    device = pick_device(config)
    dtype = pick_format(config, device)
    is_doubtful = config.device == AUTO and device.type == "mps" and dtype == torch.float32
    if is_doubtful and not speaks_as_exact(device, dtype):
        logger.warning("`mps` fails its test in fp32 as well: the CPU is used")
        return cpu, pick_format(config, cpu)
    return device, dtype


def prove_speech(
    device: torch.device, half: torch.dtype, exact: Samples, speak: Callable[[], Samples]
) -> torch.dtype:
    """`half` if what `speak` says in it on `device` is near `exact`, and fp32 if not. The log says why."""
    return half if is_near(device, half, exact, speak, "so fp32 is used") else torch.float32


def is_near(
    device: torch.device,
    dtype: torch.dtype,
    exact: Samples,
    speak: Callable[[], Samples],
    what_then: str = "so it is not used",
) -> bool:
    """Whether what `speak` says on `device` is near `exact`. The log says so, and `what_then` if not."""
    try:
        error = _error(speak(), exact)
    except (RuntimeError, TypeError) as e:
        logger.warning("%s on `%s` fails its test, %s: %s", dtype, device, what_then, e)
        return False
    if error <= MAX_ERROR:
        logger.info("%s on `%s` passes its test: error %.2g, allowed %g", dtype, device, error, MAX_ERROR)
        return True
    logger.warning(
        "%s on `%s` fails its test, %s: error %.2g, allowed %g", dtype, device, what_then, error, MAX_ERROR
    )
    return False


def _error(found: Samples, exact: Samples) -> float:
    """Infinite if it has another length or is not finite."""
    if found.shape != exact.shape or not np.isfinite(found).all():
        return math.inf
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
