"""Clocks, heat and power modes, from files as boards and drivers have them."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ttsops.ops.checkup.devices import check_cpu
from ttsops.ops.checkup.jetson import check_jetson, parse_mode, parse_modes, parse_release
from ttsops.ops.checkup.nvidia import check_nvidia, slowed_by

pytestmark = pytest.mark.unit

RELEASE = "# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic, EABI: aarch64, DATE: Fri Sep 13\n"
TABLE = """\
# < POWER_MODEL ID=9 NAME=COMMENTED >
< POWER_MODEL ID=0 NAME=MAXN >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=1 NAME=15W >
<POWER_MODEL ID=2 NAME=MODE_30W>
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def board(root: Path, *, mode: int = 0, millidegrees: str = "51000") -> Path:
    return write(
        root,
        {
            "etc/nv_tegra_release": RELEASE,
            "etc/nvpmodel.conf": TABLE,
            "var/lib/nvpmodel/status": f"pmode:{mode:04d}",
            "sys/class/devfreq/15340000.vic/cur_freq": "1",
            "sys/class/devfreq/17000000.gpu/cur_freq": "306000000\n",
            "sys/class/devfreq/17000000.gpu/max_freq": "1300500000\n",
            "sys/class/thermal/thermal_zone0/temp": millidegrees,
            "sys/class/thermal/thermal_zone1/temp": "-256000",
        },
    )


def test_release_and_modes_are_read_as_the_boards_write_them() -> None:
    assert parse_release(RELEASE) == "36.4.0"
    assert parse_release("something else") == ""
    assert (parse_mode("pmode:0002 fmode:fanNull\n"), parse_mode("")) == (2, None)
    assert parse_modes(TABLE) == {0: "MAXN", 1: "15W", 2: "MODE_30W"}


def test_a_board_at_full_power_is_well(tmp_path: Path) -> None:
    (check,) = check_jetson(board(tmp_path))
    assert check.word == "ok"
    assert check.told == "Jetson Linux 36.4.0, power mode MAXN, GPU at 306 of 1300 MHz, 51 °C"


@pytest.mark.parametrize(("mode", "heat", "hint"), [(1, "51000", "nvpmodel"), (0, "91500", "fan")])
def test_a_board_that_saves_power_or_is_hot_needs_a_look(
    tmp_path: Path, mode: int, heat: str, hint: str
) -> None:
    (check,) = check_jetson(board(tmp_path, mode=mode, millidegrees=heat))
    assert (check.word, hint in check.hint) == ("warning", True)


def test_a_board_without_its_other_files_is_still_told(tmp_path: Path) -> None:
    (check,) = check_jetson(write(tmp_path, {"etc/nv_tegra_release": RELEASE}))
    assert check.told == "Jetson Linux 36.4.0, power mode unknown"


def test_another_machine_is_no_board(tmp_path: Path) -> None:
    assert list(check_jetson(tmp_path)) == []


def test_the_cpus_clock_and_governor_are_told_where_the_system_has_them(tmp_path: Path) -> None:
    folder = "sys/devices/system/cpu/cpu0/cpufreq"
    files = {
        "scaling_cur_freq": "1200000\n",
        "cpuinfo_max_freq": "3600000\n",
        "scaling_governor": "powersave\n",
    }
    write(tmp_path, {f"{folder}/{name}": text for name, text in files.items()})
    told = check_cpu(tmp_path).told
    assert "1200 of 3600 MHz, governor powersave" in told
    assert "MHz" not in check_cpu(tmp_path / "none").told


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        (0x0, []),
        (0x1 | 0x2 | 0x10 | 0x100, []),
        (0x4, ["power limit (software)"]),
        (0x8 | 0x40, ["hardware slowdown", "heat (hardware)"]),
    ],
)
def test_only_faults_of_power_and_cooling_count_as_slowed_down(bits: int, names: list[str]) -> None:
    assert slowed_by(bits) == names


class Driver:
    """What `pynvml` answers for one card; of the optional figures none."""

    class NVMLError(Exception):
        pass

    def __init__(self, reasons: int, *, has_old_names: bool = False) -> None:
        name = "Throttle" if has_old_names else "Event"
        setattr(self, f"nvmlDeviceGetCurrentClocks{name}Reasons", lambda handle: reasons)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        known: dict[str, Any] = {
            "nvmlInit": None,
            "nvmlShutdown": None,
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": 0,
            "nvmlDeviceGetName": "A Card",
            "nvmlDeviceGetClockInfo": 1980,
            "nvmlDeviceGetMaxClockInfo": 1980,
            "nvmlDeviceGetTemperature": 41,
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(free=2**30, total=2**31),
            "nvmlDeviceGetPowerUsage": 71_500,
        }
        if name.startswith("nvmlDeviceGetCurrentClocks"):
            raise AttributeError(name)

        def answer(*_: Any) -> Any:
            if name not in known:
                raise self.NVMLError("Not Supported")
            return known[name]

        return answer


@pytest.mark.parametrize("has_old_names", [False, True])
def test_a_card_tells_clock_heat_and_memory(monkeypatch: pytest.MonkeyPatch, has_old_names: bool) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Driver(0x1, has_old_names=has_old_names))
    (check,) = check_nvidia()
    assert check.word == "ok"
    assert check.told == "A Card, 1980 of 1980 MHz, 41 °C, 1.0 of 2 GiB free"
    assert check.facts["watts"] == 71.5


def test_a_card_that_is_slowed_down_needs_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Driver(0x40))
    (check,) = check_nvidia()
    assert check.word == "warning"
    assert "slowed down by heat (hardware)" in check.told


def test_without_a_driver_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert list(check_nvidia()) == []
