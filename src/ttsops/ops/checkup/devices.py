"""The device that engines run on: the CPU's clocks, and what is known of graphics cards and boards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ttsops.ops.checkup.check import Check
from ttsops.ops.checkup.jetson import check_jetson
from ttsops.ops.checkup.nvidia import check_nvidia
from ttsops.ops.machine import machine

FREQUENCY = "sys/devices/system/cpu/cpu0/cpufreq"


def check_devices(root: Path = Path("/")) -> Iterator[Check]:
    """The CPU always; cards and boards where there are any."""
    yield check_cpu(root)
    yield from check_nvidia()
    yield from check_jetson(root)


def check_cpu(root: Path = Path("/")) -> Check:
    """Its name, load and, where the system tells, its clock and what governs it."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    clock, highest = (
        _megahertz(root / FREQUENCY / name) for name in ("scaling_cur_freq", "cpuinfo_max_freq")
    )
    governor = _word(root / FREQUENCY / "scaling_governor")
    facts = {
        "machine": machine(),
        "load_average": round(load, 2),
        "cores": cores,
        "clock_mhz": clock,
        "max_clock_mhz": highest,
        "governor": governor,
    }
    told = [facts["machine"], f"load {load:.1f}"]
    if clock and highest:
        told.append(f"{clock:.0f} of {highest:.0f} MHz")
    if governor:
        told.append(f"governor {governor}")
    line = ", ".join(map(str, told))
    if load > 2 * cores:
        return Check(
            "device", "warning", line, "other programs take the cores: figures of now mean little", facts
        )
    return Check("device", "ok", line, facts=facts)


def _megahertz(path: Path) -> float | None:
    text = _word(path)
    return int(text) / 1000 if text and text.isdigit() else None


def _word(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except OSError:
        return None
