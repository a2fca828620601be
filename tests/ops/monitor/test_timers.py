"""The files that run the monitor every night."""

import configparser
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ttsops.cli.app import app

pytestmark = pytest.mark.unit

INFRA = Path(__file__).parents[3] / "infra"
PROGRAM = "/opt/tts-ops/.venv/bin/ttsops"


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((INFRA / "systemd" / name).read_text())
    return parser


def parses(words: list[str]) -> bool:
    """Whether the command line would take them; it runs nothing."""
    assert words[0] == PROGRAM
    command, rest = app.get_command(None, words[1]), words[2:]  # type: ignore[arg-type]
    assert command is not None
    below = command.get_command(None, rest[0])  # type: ignore[attr-defined]
    return below.make_context(rest[0], rest[1:]) is not None


def test_the_service_runs_a_command_that_there_is() -> None:
    assert parses(shlex.split(unit("ttsops-monitor.service")["Service"]["ExecStart"]))


def test_the_timer_is_of_the_service() -> None:
    timer = unit("ttsops-monitor.timer")
    assert timer["Timer"]["OnCalendar"]
    assert (INFRA / "systemd" / "ttsops-monitor.service").exists()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_takes_both(tmp_path: Path) -> None:
    for file in (INFRA / "systemd").glob("ttsops-monitor.*"):
        # The program is not installed where the unit says, and the user is not here.
        text = file.read_text().replace(PROGRAM, "/bin/true").replace("User=ttsops\n", "")
        (tmp_path / file.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(one) for one in sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
    )
    told = [line for line in done.stderr.splitlines() if "ttsops-monitor" in line]
    assert (done.returncode, told) == (0, []), done.stderr


def test_launchd_has_a_label_a_time_and_a_command_that_there_is() -> None:
    path = INFRA / "launchd" / "org.tts-ops.monitor.plist"
    found = plistlib.loads(path.read_bytes())
    assert found["Label"] == path.stem
    assert parses(found["ProgramArguments"])
    assert found["StartCalendarInterval"] == {"Hour": 3, "Minute": 30}
    assert set(found) <= {
        "Label", "ProgramArguments", "WorkingDirectory", "StartCalendarInterval", "StandardErrorPath",
        "StandardOutPath",
    }  # fmt: skip
    if shutil.which("plutil"):
        subprocess.run(["plutil", "-lint", str(path)], check=True)
