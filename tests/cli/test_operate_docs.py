"""Every command of the pages for operators runs, against a server, and ends as the page says."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ops.monitor.runs import run as a_run
from server.server_process import any_port, running
from ttsops import errors
from ttsops.ops.backup import State, write_backup
from ttsops.ops.monitor import append_run
from ttsops.settings import Settings

pytestmark = pytest.mark.server

OPERATE = Path(__file__).parents[2] / "docs" / "operate"
RUNBOOK = (OPERATE / "runbook.md").read_text()
PAGES = {name: (OPERATE / f"{name}.md").read_text() for name in ("incident", "upgrade")}
MONITOR = (OPERATE / "monitor.md").read_text()
ADDRESS = "http://127.0.0.1:8001"
BACKUP = "backups/ttsops-20261125T031500Z.tar.gz"

SHORTER = {
    "--duration 300 --rps 2": "--duration 2 --rps 20",
    "--seconds 5 --max-streams 64": "--seconds 0.6 --max-streams 2",
    "--duration 10": "--duration 0.5",
}
"""What takes minutes on the page takes seconds here."""

MAY_END_WITH_1 = ("ttsops soak", "ttsops monitor run", "ttsops loadtest")
"""Commands that judge, on a machine that tests share: that they come to a verdict is what is tested."""


def rows() -> list[list[str]]:
    """Cells of every row of the runbook."""
    lines = [line for line in RUNBOOK.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [one for one in cells if one[0] != "seen" and not one[0].startswith("---")]


def commands() -> list[str]:
    in_tables = [cell for row in rows() for cell in re.findall(r"`([^`]+)`", row[2])]
    blocks = re.findall(r"^```(?:sh|bash)\n(.*?)^```", "\n".join([*PAGES.values(), MONITOR]), re.M | re.S)
    in_blocks = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    found = [one.replace("\\|", "|") for one in [*in_tables, *in_blocks]]
    return [one for one in dict.fromkeys(found) if not one.startswith("sudo ")]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server a newcomer starts."""
    with running(any_port(Settings()), tmp_path_factory.mktemp("server")) as process:
        yield process.url


@pytest.fixture
def directory(ttsops: Callable[..., Any], url: str) -> Path:
    """As an operator has it after a few nights, with what the pages name."""
    settings = f"[server]\nport = {url.rpartition(':')[2]}\n[voices]\nfolder = 'voices'\n"
    Path("ttsops.toml").write_text(settings)
    Path("server.log").write_text(json.dumps({"event": "draining", "limit_seconds": 3}) + "\n")
    Path("voices").mkdir()
    Path("backups").mkdir()
    write_backup(Path(BACKUP), State(settings.encode(), {}), "2026-11-25T03:15:00Z")
    append_run(Path("monitor.jsonl"), a_run(engine="espeak"))
    assert ttsops("keys", "add", "anna", "--file", "keys.toml").code == 0
    assert ttsops("say", "One moment, please.", "--out", "probe.wav").code == 0
    return Path.cwd()


@pytest.mark.parametrize("command", commands())
def test_a_command_runs(
    ttsops: Callable[..., Any], directory: Path, url: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = command.replace(ADDRESS, url)
    for long, short in SHORTER.items():
        typed = typed.replace(long, short)
    if command == "ttsops monitor run":
        typed += " --no-scores"  # where they are installed, the models alone take half a minute
    if command.startswith("curl "):
        monkeypatch.undo()
        done = subprocess.run(["bash", "-o", "pipefail", "-c", typed], cwd=directory, capture_output=True)
        assert (done.returncode, bool(done.stdout) or ">" in typed) == (0, True), done.stderr
        return
    words, _, target = typed.partition(" > ")
    asked = shlex.split(words)
    assert asked[0] == "ttsops"
    ended = ttsops(*asked[1:])
    assert ended.code in ((0, 1) if command.startswith(MAY_END_WITH_1) else (0,)), ended.err
    if ended.code == 1:
        assert ended.out
        assert "error: " in ended.err
    assert not target or ended.out


def test_the_runbook_has_rows_for_every_part() -> None:
    assert len(rows()) >= 20
    for title in ("The server", "Speed", "Engines and sound", "Voices", "Machine and graphics card"):
        assert f"## {title}" in RUNBOOK
    assert all(len(row) == 4 and row[0] and row[2].startswith("`") for row in rows())


def test_what_was_made_shorter_is_on_a_page() -> None:
    everything = "\n".join(commands())
    assert [long for long in SHORTER if long not in everything] == []


def test_codes_and_settings_that_are_named_exist() -> None:
    codes = {one.code for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "code")}
    assert set(re.findall(r"`((?:unknown|engine)_\w+)`", RUNBOOK)) <= codes
    from ttsops.settings.fields import all_settings

    known = {".".join(one.key) for one in all_settings()}
    named = re.findall(
        r"`((?:server|runtime|monitor|voices)\.[a-z_]+)`", "\n".join([RUNBOOK, *PAGES.values(), MONITOR])
    )
    assert named
    assert [one for one in named if one not in known] == []


def test_the_figures_of_the_monitors_page_are_those_that_were_measured() -> None:
    path = OPERATE.parents[1] / "benchmarks" / "results" / "monitor_alarms.json"
    measured = msgspec.json.decode(path.read_bytes())
    alarms = {name: (row["alarms"], row["runs"]) for name, row in measured["slowed_by"].items()}
    said = re.search(
        r"slowed by 15 % it failed (\d+) times of (\d+), by 3 % it failed (\d+) times of (\d+)", MONITOR
    )
    assert said
    found = [int(one) for one in said.groups()]
    assert {"15 %": tuple(found[:2]), "3 %": tuple(found[2:])} == alarms
