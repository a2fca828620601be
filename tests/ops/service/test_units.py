"""The files as the real readers of units and property lists see them."""

import os
import plistlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ttsops.ops.health import ask_health
from ttsops.ops.service.failures import ServiceError
from ttsops.ops.service.launchd import Launchd
from ttsops.ops.service.plan import Plan, check_reachable, is_loopback, plan
from ttsops.ops.service.systemd import Systemd, exec_line
from ttsops.settings import load_settings

pytestmark = pytest.mark.server

needs_systemd = pytest.mark.skipif(
    not (shutil.which("systemd-analyze") and shutil.which("systemctl")),
    reason="systemd-analyze is not installed (Debian: systemd): units are NOT verified",
)
MAX_EXPOSURE = 3.0
"""Of 10, by `systemd-analyze security`: what hardening leaves open. 10 without any, 2.1 here."""


def a_plan(name: str = "tts", **options: Any) -> Plan:
    return plan(name, load_settings(None, {}, {}), **options)


def verify(text: str, folder: Path, *, is_system: bool) -> subprocess.CompletedProcess[str]:
    unit = folder / "ttsops-tts.service"
    unit.write_text(text)
    scope = "--system" if is_system else "--user"
    return subprocess.run(
        ["systemd-analyze", scope, "--man=no", "verify", str(unit)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        check=False,
    )


@needs_systemd
@pytest.mark.parametrize("name", ["tts", "agent"])
@pytest.mark.parametrize("is_system", [True, False])
def test_systemd_accepts_the_unit(name: str, is_system: bool, tmp_path: Path) -> None:
    done = verify(Systemd(is_system=is_system).text(a_plan(name)), tmp_path, is_system=is_system)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(
    "line", ["NoNewPrivilege=yes", "TimeoutStopSec=soon", "ExecStart=/nowhere/python -m ttsops"]
)
def test_systemd_would_have_told_of_a_mistake(line: str, tmp_path: Path) -> None:
    text = Systemd(is_system=True).text(a_plan()).replace("[Service]", f"[Service]\n{line}")
    done = verify(text, tmp_path, is_system=True)
    assert done.returncode or done.stderr


@needs_systemd
def test_little_is_left_open(tmp_path: Path) -> None:
    def exposure(text: str) -> float:
        unit = tmp_path / "ttsops-tts.service"
        unit.write_text(text)
        command = ["systemd-analyze", "security", "--no-pager", "--offline=true", str(unit)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return float(shown.splitlines()[-1].split(":")[1].split()[0])

    text = Systemd(is_system=True).text(a_plan())
    assert exposure(text) <= MAX_EXPOSURE
    assert exposure(f"[Service]\nExecStart={sys.executable}\n") > 9, "the scale is another one"


@needs_systemd
def test_systemctl_enables_it_in_a_root_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    (folder / "ttsops-tts.service").write_text(Systemd(is_system=True).text(a_plan()))
    subprocess.run(
        ["systemctl", f"--root={tmp_path}", "enable", "ttsops-tts.service"], check=True, capture_output=True
    )
    assert (folder / "multi-user.target.wants/ttsops-tts.service").is_symlink()


def test_words_of_a_command_are_read_back_as_they_were() -> None:
    words = ("/opt/a b/python", "50%", "$HOME", 'say "hi"', "back\\slash", "", "plain")
    assert shlex.split(exec_line(words).replace("%%", "%").replace("$$", "$")) == list(words)
    with pytest.raises(ServiceError, match="control character"):
        exec_line(["two\nlines"])


@needs_systemd
def test_a_path_with_spaces_and_percents_is_found_by_systemd(tmp_path: Path) -> None:
    folder = tmp_path / "a b 50%"
    folder.mkdir()
    program = folder / "python"
    program.symlink_to(sys.executable)
    done = verify(Systemd(is_system=True).text(a_plan(python=str(program))), tmp_path, is_system=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_server_is_given_time_to_drain_and_its_worker_is_left_alone(tmp_path: Path) -> None:
    env = {"TTSOPS_RUNTIME__DRAIN_SECONDS": "90", "TTSOPS_SERVER__LAME_DUCK_SECONDS": "10"}
    wanted = plan("tts", load_settings(None, env, {}))
    assert "TimeoutStopSec=115\n" in Systemd(is_system=False).text(wanted)
    assert "KillMode=mixed\n" in Systemd(is_system=False).text(wanted)
    assert plistlib.loads(Launchd(is_system=False).text(wanted).encode())["ExitTimeOut"] == 115


@pytest.mark.parametrize("name", ["tts", "agent"])
def test_the_property_list_is_one(name: str, tmp_path: Path) -> None:
    wanted = a_plan(name, config=tmp_path / "a & b.toml", port=8123)
    content = plistlib.loads(Launchd(is_system=False).text(wanted).encode())
    assert content["Label"] == f"org.tts-ops.{name}"
    assert tuple(content["ProgramArguments"]) == wanted.command
    assert content["KeepAlive"] == {"SuccessfulExit": False}
    assert "UserName" not in content
    assert plistlib.loads(Launchd(is_system=True).text(a_plan(user="tts")).encode())["UserName"] == "tts"


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    for name in ("tts", "agent"):
        assert is_loopback(a_plan(name).host)
        assert not a_plan(name).is_open
    opened = plan("tts", load_settings(None, {}, {"server.host": "0.0.0.0"}))
    assert opened.is_open
    assert opened.url == "http://127.0.0.1:8001"
    keyed = plan("tts", load_settings(None, {}, {"server.host": "0.0.0.0", "server.keys_file": "keys"}))
    assert not keyed.is_open
    assert not is_loopback("speech.example.org")


def test_what_another_account_cannot_read_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServiceError, match=r"is closed to it|cannot read") as caught:
        check_reachable([closed / "ttsops.toml"])
    assert caught.value.hint is not None
    check_reachable([Path("/etc/passwd")])


def test_the_command_of_the_unit_is_a_server_that_ends_well(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wanted = a_plan(port=port)
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(wanted.command, cwd=tmp_path, stderr=log)
    try:
        deadline = time.monotonic() + 30
        url = f"http://127.0.0.1:{port}"
        while not ask_health(url).is_ready and time.monotonic() < deadline:
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.1)
        assert ask_health(url).is_ready
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
