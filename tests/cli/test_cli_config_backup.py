"""`ttsops config backup`, `diff` and `restore`, one after the other as an operator uses them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]


def test_a_change_is_shown_and_taken_back(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("[server]\nport = 9000\n[voices]\nfolder = 'voices'\n")
    Path("voices/en-Alice_woman").mkdir(parents=True)
    Path("voices/en-Alice_woman/voice.json").write_text("{}")
    done = ttsops("config", "backup")
    assert done.code == 0
    assert "the settings file, 1 voices" in done.err
    backup = done.out.strip()
    assert ttsops("config", "diff", backup).err == "Nothing is different\n"
    Path("ttsops.toml").write_text("[server]\nport = 9001\n[voices]\nfolder = 'voices'\n")
    Path("voices/en-Alice_woman/voice.json").write_text("{ }")
    shown = ttsops("config", "diff", backup)
    assert shown.out.splitlines() == [
        "~ setting server.port: 9000 → 9001",
        "~ voice en-Alice_woman: voice.json",
    ]
    assert json.loads(ttsops("config", "diff", backup, "--json").out)[0]["new"] == 9001
    back = ttsops("config", "restore", backup)
    assert (back.code, back.out) == (0, "")
    assert "port = 9000" in Path("ttsops.toml").read_text()
    safety = back.err.split("`")[3]
    assert ttsops("config", "diff", backup, safety).out == shown.out


@pytest.mark.parametrize(
    "words", [("restore", "none.tar.gz"), ("diff", "none.tar.gz"), ("restore", "ttsops.toml")]
)
def test_what_is_no_backup_is_wrong_usage(ttsops: Ttsops, words: tuple[str, ...]) -> None:
    Path("ttsops.toml").write_text("engine = 'tone'\n")
    done = ttsops("config", *words)
    assert (done.code, "error:" in done.err) == (2, True)
    assert Path("ttsops.toml").read_text() == "engine = 'tone'\n"


def test_settings_that_are_wrong_are_told_before_anything_is_kept(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("engine = 3\n")
    done = ttsops("config", "backup")
    assert (done.code, Path("backups").exists()) == (2, False)
