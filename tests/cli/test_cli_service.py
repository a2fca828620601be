"""`ttsops service` against a `systemctl` and a `launchctl` that keep what they are told.

A test machine has no systemd as its process 1, and no macOS: both are stand-ins, programs of their own,
that answer as the manuals say. What the files mean to the real readers is tested in
ops/service/test_units.py, a life under a booted systemd in infra/test_images.py.
"""

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops.ops.service import manager

pytestmark = pytest.mark.server

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "service.md"

STAND_IN = """#!{python}
import json, pathlib, sys
words = sys.argv[1:]
state_file = pathlib.Path({folder!r}) / "state.json"
state = {{"said": [], "enabled": [], "active": []}}
if state_file.exists():
    state = json.loads(state_file.read_text())
state["said"].append(words)
verbs = [word for word in words if not word.startswith("--")]
broken = pathlib.Path({folder!r}) / "broken"
code = 0
if broken.exists() and verbs[0] == broken.read_text():
    print("Access denied", file=sys.stderr)
    code = 1
elif verbs[0] == "enable":
    state["enabled"].append(verbs[1])
elif verbs[0] in ("restart", "bootstrap"):
    state["active"].append(pathlib.Path(verbs[-1]).stem)
elif verbs[0] in ("disable", "bootout"):
    state["enabled"], state["active"] = [], []
elif verbs[0] == "show":
    unit = verbs[1]
    is_active = pathlib.Path(unit).stem in state["active"]
    if unit in state["enabled"]:
        print("UnitFileState=enabled")
    print(f"LoadState=loaded\\nActiveState={{'active' if is_active else 'inactive'}}")
    print(f"SubState={{'running' if is_active else 'dead'}}\\nMainPID={{4711 if is_active else 0}}")
elif verbs[0] == "print":
    if verbs[1].split("/")[-1] in state["active"]:
        print(f"{{verbs[1]}} = {{{{\\n\\tactive count = 1\\n\\tstate = running\\n\\n\\tpid = 4711\\n}}}}")
    else:
        print("Could not find service", file=sys.stderr)
        code = 113
state_file.write_text(json.dumps(state))
sys.exit(code)
"""


class Machine:
    """One with a manager of services."""

    def __init__(self, tmp_path: Path, program: str) -> None:
        self.home = tmp_path / "home"
        self.home.mkdir()
        self.folder = tmp_path.parent / f"{tmp_path.name}-bin"
        stand_in = self.folder / program
        stand_in.write_text(STAND_IN.format(python=sys.executable, folder=str(self.folder)))
        stand_in.chmod(0o755)

    def said(self) -> list[list[str]]:
        path = self.folder / "state.json"
        return json.loads(path.read_text())["said"] if path.exists() else []

    def breaks_at(self, verb: str) -> None:
        (self.folder / "broken").write_text(verb)


@pytest.fixture(params=["systemctl", "launchctl"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, ttsops: Any, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    machine = Machine(tmp_path, request.param)
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    is_mac = request.param == "launchctl"
    monkeypatch.setattr(platform, "system", lambda: "Darwin" if is_mac else "Linux")
    monkeypatch.setattr(manager, "BOOTED_WITH_SYSTEMD", tmp_path)
    return machine


def unit_of(machine: Machine, name: str = "tts") -> Path:
    systemd = machine.home / f".config/systemd/user/ttsops-{name}.service"
    launchd = machine.home / f"Library/LaunchAgents/org.tts-ops.{name}.plist"
    return systemd if (machine.folder / "systemctl").exists() else launchd


def test_a_service_comes_runs_and_goes(machine: Machine, ttsops: Callable[..., Any]) -> None:
    before = ttsops("service", "status", "--json")
    assert before.code == 3
    assert not json.loads(before.out)["is_installed"]

    done = ttsops("service", "install")
    assert (done.code, done.out) == (0, "")
    assert unit_of(machine).exists()
    assert str(unit_of(machine)) in done.err
    assert "http://127.0.0.1:8001" in done.err

    status = ttsops("service", "status")
    assert status.code == 0
    assert "process 4711" in status.out
    assert json.loads(ttsops("service", "status", "--json").out)["is_enabled"]

    assert ttsops("service", "uninstall").code == 0
    assert not unit_of(machine).exists()
    assert ttsops("service", "status").code == 3
    again = ttsops("service", "uninstall")
    assert again.code == 0
    assert "Nothing to do" in again.err


def test_installed_again_it_is_what_was_asked_last(machine: Machine, ttsops: Callable[..., Any]) -> None:
    assert ttsops("service", "install", "agent").code == 0
    assert ttsops("service", "install", "agent", "--port", "9090").code == 0
    assert "9090" in unit_of(machine, "agent").read_text()
    assert unit_of(machine, "agent").read_text().count("9090") == 1
    assert ttsops("service", "status", "agent").code == 0
    assert not unit_of(machine).exists(), "the server is a service of its own"


def test_a_dry_run_changes_nothing(machine: Machine, ttsops: Callable[..., Any]) -> None:
    shown = ttsops("service", "install", "--dry-run")
    assert shown.code == 0
    assert str(unit_of(machine)) in shown.err
    assert ttsops("service", "uninstall", "--dry-run").code == 0
    assert not machine.said()
    assert not any(machine.home.iterdir())
    assert ttsops("service", "install", "--no-start").code == 0
    assert unit_of(machine).read_text() == shown.out
    assert ttsops("service", "status").code == 3


def test_what_the_manager_refuses_is_told(machine: Machine, ttsops: Callable[..., Any]) -> None:
    machine.breaks_at("restart" if (machine.folder / "systemctl").exists() else "bootstrap")
    done = ttsops("service", "install")
    assert done.code == 1
    assert "Access denied" in done.err
    assert "hint:" in done.err


def test_wrong_settings_are_not_installed(
    machine: Machine, ttsops: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("[server]\nport = 'eight'\n")
    done = ttsops("service", "install", "--config", "bad.toml")
    assert done.code == 2
    assert "bad.toml" in done.err
    assert not machine.said()


def test_an_open_service_is_warned_of(machine: Machine, ttsops: Callable[..., Any]) -> None:
    done = ttsops("service", "install", "--host", "0.0.0.0", "--dry-run")
    assert "everyone who reaches 0.0.0.0 may use it" in done.err
    assert "warning" not in ttsops("service", "install", "--dry-run").err


def test_an_account_is_for_services_of_the_system(machine: Machine, ttsops: Callable[..., Any]) -> None:
    assert ttsops("service", "install", "--run-as", "tts").code == 2


@pytest.mark.parametrize("verb", ["install", "uninstall", "status"])
def test_without_a_manager_it_says_so(
    verb: str, ttsops: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(manager, "BOOTED_WITH_SYSTEMD", tmp_path / "not there")
    done = ttsops("service", verb)
    assert done.code == 3
    assert "neither systemd nor launchd runs here" in done.err
    assert "ttsops serve" in done.err


@pytest.mark.parametrize(("kind", "sign"), [("systemd", "[Unit]"), ("launchd", "<plist")])
def test_the_file_for_another_machine_can_be_printed(
    kind: str, sign: str, ttsops: Callable[..., Any]
) -> None:
    done = ttsops("service", "install", "--print", kind)
    assert done.code == 0
    assert sign in done.out


def test_the_commands_of_the_page_end_well(
    machine: Machine, ttsops: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "agent.toml").write_text("[agent]\nport = 8090\n")
    block = PAGE.read_text().split("```sh\n")[1].split("```")[0]
    commands = [line.split("#")[0].split() for line in block.splitlines()]
    ours = [words[1:] for words in commands if words[:2] == ["ttsops", "service"]]
    assert len(ours) == 5
    for words in ours:
        assert ttsops(*words).code == 0, words
