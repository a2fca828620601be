"""Clocks and power mode of NVIDIA Jetson boards, from the files of their Linux. Needs no package and no root.

Power modes: https://docs.nvidia.com/jetson/archives/r36.4/DeveloperGuide/SD/PlatformPowerAndPerformance.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ttsops.ops.checkup.check import Check

RELEASE = "etc/nv_tegra_release"
MODE_STATUS = "var/lib/nvpmodel/status"
MODE_TABLE = "etc/nvpmodel.conf"
GPU_CLOCKS = "sys/class/devfreq"
THERMAL = "sys/class/thermal"
HOT_CELSIUS = 85.0
"""Boards begin to slow down at some 95 to 99 °C."""


def parse_release(text: str) -> str:
    """`# R36 (release), REVISION: 4.0, …` → `36.4.0`; empty if it says something else."""
    found = re.search(r"R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)", text)
    return f"{found[1]}.{found[2]}" if found else ""


def parse_mode(status: str) -> int | None:
    """`pmode:0002` → 2: the power mode in force."""
    found = re.search(r"pmode:(\d+)", status)
    return int(found[1]) if found else None


def parse_modes(table: str) -> dict[int, str]:
    """Names of the modes: `< POWER_MODEL ID=0 NAME=MAXN >`. A line that is a comment does not count."""
    pattern = re.compile(r"^\s*<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+?)\s*>", re.MULTILINE)
    return {int(number): name for number, name in pattern.findall(table)}


def check_jetson(root: Path = Path("/")) -> Iterator[Check]:
    """One if this is such a board, else none. `root` is where its files are."""
    release = _read(root / RELEASE)
    if release is None:
        return
    mode = parse_mode(_read(root / MODE_STATUS) or "")
    modes = parse_modes(_read(root / MODE_TABLE) or "")
    clocks = _gpu_clocks(root)
    hottest = max(_temperatures(root), default=None)
    facts = {
        "release": parse_release(release),
        "mode": mode,
        "mode_name": modes.get(mode, "") if mode is not None else "",
        "clock_hz": clocks[0] if clocks else None,
        "max_clock_hz": clocks[1] if clocks else None,
        "celsius": hottest,
    }
    told = [f"Jetson Linux {facts['release'] or 'of an unknown release'}"]
    told.append(f"power mode {facts['mode_name'] or mode if mode is not None else 'unknown'}")
    if clocks:
        told.append(f"GPU at {clocks[0] / 1e6:.0f} of {clocks[1] / 1e6:.0f} MHz")
    if hottest is not None:
        told.append(f"{hottest:.0f} °C")
    line = ", ".join(told)
    if hottest is not None and hottest >= HOT_CELSIUS:
        yield Check("board", "warning", line, "it will slow down: look at its fan", facts)
    elif facts["mode_name"] and not str(facts["mode_name"]).startswith("MAXN"):
        yield Check("board", "warning", line, "`sudo nvpmodel -m 0` gives all the power there is", facts)
    else:
        yield Check("board", "ok", line, facts=facts)


def _gpu_clocks(root: Path) -> tuple[int, int] | None:
    """Now, and the most there is, in hertz."""
    folder = root / GPU_CLOCKS
    for device in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not re.search(r"gpu|gv11b|gp10b|ga10b", device.name):
            continue
        now, most = _read(device / "cur_freq"), _read(device / "max_freq")
        if now and most and now.strip().isdigit() and most.strip().isdigit():
            return int(now), int(most)
    return None


def _temperatures(root: Path) -> Iterator[float]:
    folder = root / THERMAL
    for zone in sorted(folder.glob("thermal_zone*")) if folder.is_dir() else []:
        text = (_read(zone / "temp") or "").strip()
        if text.isdigit():  # a zone that is off is below zero, or cannot be read
            yield int(text) / 1000


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None
