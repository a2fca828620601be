"""Which device and number format a model runs in, and what is refused: rules alone, no framework.

`engines/nn/devices.py` asks the machine what it has and applies these rules to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.models.catalogue import published

AUTO, INT8 = "auto", "int8"
ORDER = ("cuda", "mps", "cpu")
"""In which `auto` takes what is there."""

DEFAULT_DTYPES: Mapping[str, str] = MappingProxyType({"cuda": "bf16", "mps": "fp32", "cpu": "fp32"})
"""For a model that the catalogue says nothing of."""

BYTES = MappingProxyType({"fp32": 4, "fp16": 2, "bf16": 2, INT8: 1})
"""Of one parameter."""

HALF_FEATURES = MappingProxyType(
    {
        "fp16": frozenset({"avx512_fp16", "amx_fp16"}),
        "bf16": frozenset({"avx512_bf16", "amx_bf16"}),
    }
)
"""Any of these, as Linux names them, multiplies in this format; without one it is emulated."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and why, as a phrase for the log."""

    value: str
    reason: str


def dtypes_of(model: str) -> Mapping[str, str]:
    """Device → number format of a model of the catalogue, by any of its names."""
    entry = published().get(model)
    return (entry.dtypes if entry else None) or DEFAULT_DTYPES


def choose_device(wanted: str, *, n_cuda: int, has_mps: bool, dtype: str = AUTO) -> Choice:
    """`auto` is the first of `ORDER` that is here, and the CPU for `int8`, which is multiplied there alone.

    Raises `ConfigError` for what is no device, `EngineUnavailable` for one that is not on this machine.
    """
    is_here = {"cuda": n_cuda > 0, "mps": has_mps, "cpu": True}
    if wanted == AUTO and dtype == INT8:
        return Choice("cpu", "`auto`, and int8 is multiplied there alone")
    if wanted == AUTO:
        kind = next(kind for kind in ORDER if is_here[kind])
        passed = ORDER[: ORDER.index(kind)]
        why = f"`auto`, and there is no {' and no '.join(passed)}" if passed else "`auto`, and it is here"
        return Choice("cuda:0" if kind == "cuda" else kind, why)
    kind, _, number = wanted.partition(":")
    if kind not in is_here or (":" in wanted and not (kind == "cuda" and number.isdecimal())):
        raise ConfigError(f"`{wanted}` is no device", hint="`auto`, `cpu`, `cuda:N` or `mps`")
    if not is_here[kind] or (kind == "cuda" and int(number or 0) >= n_cuda):
        raise EngineUnavailable(f"there is no device `{wanted}` on this machine", hint="try `auto`")
    return Choice(wanted, "it is set")


def choose_dtype(wanted: str, device: str, dtypes: Mapping[str, str] = DEFAULT_DTYPES) -> Choice:
    """`auto` is what `dtypes` says of a device: `cuda`, `mps` or `cpu`.

    Raises `ConfigError` for a format that is not supported on `device`.
    """
    if wanted == AUTO:
        value = dtypes.get(device, DEFAULT_DTYPES.get(device, "fp32"))
        return Choice(value, f"`auto`, and that is what this model takes on {device}")
    if wanted not in BYTES or (wanted == INT8 and device != "cpu"):
        raise ConfigError(
            f"dtype `{wanted}` is not supported on `{device}`",
            hint="`auto`, `fp32`, `fp16` or `bf16`, and `int8` on a CPU",
        )
    return Choice(wanted, "it is set")


def check_half(dtype: str, device: str, features: Set[str]) -> None:
    """Raises `ConfigError` for half precision that a processor would emulate, six times as slow as fp32.

    `features` are those of the processor; where they are not known, nothing is refused.
    """
    if device != "cpu" or dtype not in HALF_FEATURES or not features:
        return
    if not features & HALF_FEATURES[dtype]:
        raise ConfigError(
            f"this processor does not compute in {dtype}, it would emulate it",
            hint="set `dtype` to `fp32`, or to `int8` if memory or time is short",
            param="dtype",
        )


def check_memory(n_parameters: int, dtype: str, device: str, free_bytes: int) -> None:
    """Raises `EngineUnavailable` if the weights alone do not fit into what is free."""
    needed = n_parameters * BYTES.get(dtype, 4)
    if needed > free_bytes:
        raise EngineUnavailable(
            f"the weights need {_gib(needed)} in {dtype}, and {_gib(free_bytes)} are free on `{device}`",
            hint="free memory, choose a format of fewer bytes (`dtype`), or a smaller model",
        )


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB"
