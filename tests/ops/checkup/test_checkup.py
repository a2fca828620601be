"""What is looked at on this machine, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest

from ops.monitor.runs import run
from ttsops.ops.checkup import Check, check_all, resources, worst
from ttsops.ops.checkup.resources import check_disks, check_memory
from ttsops.ops.monitor import append_run

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def checks(settings: str = "") -> dict[str, Check]:
    Path("ttsops.toml").write_text(settings)
    return {one.name: one for one in check_all(None, {})}


def test_a_bare_machine_can_speak() -> None:
    found = checks()
    assert found["settings"].word == "ok"
    assert found["engine espeak"].word == "ok"
    assert found["voices"].word == "ok"
    assert {"memory", "device", "monitor", "disk for the history"} <= set(found)
    assert all(one.told for one in found.values())
    assert all(one.hint for one in found.values() if one.word in ("warning", "bad"))


def test_settings_that_are_wrong_are_one_bad_check() -> None:
    found = checks("[server]\nport = 'x'\n")
    assert found["settings"].word == "bad"
    assert "`ttsops.toml`, line 2" in found["settings"].told
    assert "engine espeak" in found


@pytest.mark.parametrize(
    ("settings", "name", "word"),
    [
        ("engine = 'nobody'\n", "engine nobody", "bad"),
        ("[engines.nobody]\n", "engine nobody", "warning"),
        ("engine = 'tone'\n", "engine tone", "ok"),
    ],
)
def test_an_engine_that_is_not_there_is_bad_if_it_is_the_default(settings: str, name: str, word: str) -> None:
    assert checks(settings)[name].word == word


def test_a_voice_that_was_damaged_is_named() -> None:
    folder = Path("voices/en-Alice_woman")
    folder.mkdir(parents=True)
    (folder / "voice.json").write_text("{}")
    found = checks("[voices]\nfolder = 'voices'\n")["voices"]
    assert found.word == "warning"
    assert "1 of 1 voices cannot be used; the first: en-Alice_woman" in found.told


def test_a_folder_of_voices_that_is_not_there_needs_a_look() -> None:
    assert checks("[voices]\nfolder = 'nowhere'\n")["voices"].word == "warning"


def test_the_last_run_of_the_default_engine_is_told() -> None:
    append_run(Path("monitor.jsonl"), run(engine="espeak"))
    append_run(Path("monitor.jsonl"), run(engine="tone", word="regression"))
    assert checks()["monitor"].word == "ok"
    assert checks("engine = 'tone'\n")["monitor"].word == "warning"


JUNIT = """<?xml version="1.0"?><testsuites><testsuite name="tone">
<testcase name="models">{}</testcase><testcase name="words"><skipped message="no"/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("inside", "word", "told"),
    [
        ("", "ok", "1 gates passed on "),
        ("<failure message='x'/>", "warning", "1 gates failed on "),
        ("<skipped/>", "warning", "no gate was passed on "),
        ("<broken", "warning", "cannot be read"),
    ],
)
def test_the_last_acceptance_is_told_where_it_left_its_file(inside: str, word: str, told: str) -> None:
    assert "acceptance" not in checks()
    Path("accept.xml").write_text(JUNIT.format(inside))
    found = checks()["acceptance"]
    assert (found.word, told in found.told) == (word, True), found.told


@pytest.mark.parametrize(("share", "word"), [(2.0, "ok"), (0.5, "warning"), (0.01, "bad")])
def test_little_room_is_told(monkeypatch: pytest.MonkeyPatch, share: float, word: str) -> None:
    free = check_memory().facts["free_bytes"] / check_memory().facts["total_bytes"]
    monkeypatch.setattr(resources, "LOW_MEMORY_SHARE", free / share)
    monkeypatch.setattr(resources, "NO_MEMORY_SHARE", free / share / 10)
    assert check_memory().word == word


def test_the_disk_is_that_of_a_folder_that_is_yet_to_be_made() -> None:
    found = {one.name: one for one in check_disks({"the history": Path("not/yet/here")})}
    assert found["disk for the history"].facts["free_bytes"] > 0
    assert found["disk for the history"].facts["path"] == str(Path.cwd())


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], "ok"), (["ok", "unknown"], "unknown"), (["warning", "ok"], "warning"), (["bad", "warning"], "bad")],
)
def test_the_worst_word_counts(words: list[Any], expected: str) -> None:
    assert worst([Check("a", word, "b") for word in words]) == expected
