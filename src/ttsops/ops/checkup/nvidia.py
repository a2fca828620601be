"""Clocks, heat and power of NVIDIA cards, from their driver (NVML). Needs the extra `gpu`.

What slows a card down is a bit field: https://docs.nvidia.com/deploy/nvml-api/group__nvmlClocksEventReasons.html
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ttsops.ops.checkup.check import Check

SLOWED: Mapping[int, str] = MappingProxyType(
    {
        0x4: "power limit (software)",
        0x8: "hardware slowdown",
        0x20: "heat (software)",
        0x40: "heat (hardware)",
        0x80: "power brake (hardware)",
    }
)
"""Of all reasons those that are a fault of power or cooling. Being idle and a chosen clock are none."""

GRAPHICS_CLOCK, TEMPERATURE = 0, 0
"""NVML's numbers for what is asked."""


def slowed_by(reasons: int) -> list[str]:
    """What keeps a card below its clock, of the driver's bit field."""
    return [name for bit, name in SLOWED.items() if reasons & bit]


def check_nvidia() -> Iterator[Check]:
    """One for each card; none without a driver."""
    try:
        nvml: Any = importlib.import_module("pynvml")
    except ImportError:
        return
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return
    try:
        for index in range(int(nvml.nvmlDeviceGetCount())):
            yield _check_card(nvml, index)
    except nvml.NVMLError as error:
        yield Check("graphics cards", "bad", f"the driver does not answer: {error}", "`nvidia-smi` says more")
    finally:
        nvml.nvmlShutdown()


def _check_card(nvml: Any, index: int) -> Check:
    name = f"graphics card {index}"
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        return Check(name, "bad", f"it does not answer: {error}", "`nvidia-smi` and `dmesg` say more")
    memory = _ask(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    facts = {
        "model": _ask(nvml, nvml.nvmlDeviceGetName, handle),
        "clock_mhz": _ask(nvml, nvml.nvmlDeviceGetClockInfo, handle, GRAPHICS_CLOCK),
        "max_clock_mhz": _ask(nvml, nvml.nvmlDeviceGetMaxClockInfo, handle, GRAPHICS_CLOCK),
        "celsius": _ask(nvml, nvml.nvmlDeviceGetTemperature, handle, TEMPERATURE),
        "watts": _watts(_ask(nvml, nvml.nvmlDeviceGetPowerUsage, handle)),
        "limit_watts": _watts(_ask(nvml, nvml.nvmlDeviceGetEnforcedPowerLimit, handle)),
        "persistence": _ask(nvml, nvml.nvmlDeviceGetPersistenceMode, handle),
        "free_bytes": int(memory.free) if memory else None,
        "total_bytes": int(memory.total) if memory else None,
        "slowed_by": slowed_by(_ask(nvml, _reasons_function(nvml), handle) or 0),
    }
    return _judge(name, facts)


def _judge(name: str, facts: Mapping[str, Any]) -> Check:
    told = [str(facts["model"] or "unnamed")]
    if facts["clock_mhz"] and facts["max_clock_mhz"]:
        told.append(f"{facts['clock_mhz']} of {facts['max_clock_mhz']} MHz")
    if facts["celsius"] is not None:
        told.append(f"{facts['celsius']} °C")
    if facts["watts"] is not None and facts["limit_watts"] is not None:
        told.append(f"{facts['watts']:.0f} of {facts['limit_watts']:.0f} W")
    if facts["free_bytes"] is not None:
        told.append(f"{facts['free_bytes'] / 2**30:.1f} of {facts['total_bytes'] / 2**30:.0f} GiB free")
    if facts["slowed_by"]:
        line = f"{', '.join(told)}; slowed down by {', '.join(facts['slowed_by'])}"
        return Check(
            name, "warning", line, "look at cooling, power supply and `nvidia-smi -q -d CLOCK`", facts
        )
    return Check(name, "ok", ", ".join(told), facts=facts)


def _reasons_function(nvml: Any) -> Any:
    """Renamed in 2023; older packages have the old name."""
    return getattr(nvml, "nvmlDeviceGetCurrentClocksEventReasons", None) or (
        nvml.nvmlDeviceGetCurrentClocksThrottleReasons
    )


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _ask(nvml: Any, function: Any, *arguments: Any) -> Any:
    """None where this card or driver does not tell."""
    try:
        return function(*arguments)
    except nvml.NVMLError:
        return None
