"""`ttsops config`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops.settings.reference import settings_page

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]


def test_good_settings_are_good(ttsops: Ttsops) -> None:
    Path("good.toml").write_text("engine = 'tone'\n[engines.tone.options]\nrtf = 0.5\n")
    done = ttsops("config", "check", "good.toml")
    assert (done.code, done.out) == (0, "")
    assert "`good.toml`" in done.err
    assert ttsops("config", "check", "good.toml", "--quiet").err == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[server]\nport = 0.5", "error: `x.toml`, line 2: `server.port` is 0.5, must be an integer"),
        ("engine = 'tome'", "error: `x.toml`, line 1: no engine named `tome`"),
        (
            "engine = 'tone'\n[runtime]\nfailover = 'espaek'",
            "error: `x.toml`, line 3: no engine named `espaek`",
        ),
        ("engine = 'tone'\n[engines.toon]", "error: `[engines.toon]`: no engine named `toon`"),
        (
            "engine = 'tone'\n[engines.tone.options]\nrft = 1",
            "error: `x.toml`, line 3: engine `tone` has no option `rft`",
        ),
    ],
)
def test_a_mistake_is_told_and_the_check_fails(ttsops: Ttsops, content: str, message: str) -> None:
    Path("x.toml").write_text(content)
    done = ttsops("config", "check", "x.toml")
    assert done.code == 1
    assert done.err.startswith(message)


def test_show_tells_each_value_and_where_it_is_from(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ttsops.toml").write_text("[server]\nport = 9000\n")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    lines = ttsops("config", "show").out.splitlines()
    rows = {line.split()[0]: line for line in lines}
    assert rows["server.port"].split(None, 1)[1] == "9000                      # `ttsops.toml`, line 2"
    assert rows["log.level"].endswith("# environment variable `LOG_LEVEL`")
    assert rows["server.host"].endswith('"127.0.0.1"               # default')
    assert json.loads(ttsops("config", "show", "--json").out)["server.port"] == 9000


def test_show_hides_secrets(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("[engines.tone.options]\nhub_token = 'hf_123'\nrtf = 1\n")
    done = ttsops("config", "show")
    assert "hf_123" not in done.out
    assert "***" in done.out


def test_show_hides_a_password_in_an_address(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://anna:hunter2@llm.example/v1")
    monkeypatch.setenv("HF_ENDPOINT", "https://anna:hunter2@mirror.example")
    shown = ttsops("config", "show").out + ttsops("config", "show", "--json").out
    assert shown.count('"http://***@llm.example/v1"') == 2
    assert "hunter2" not in shown


def test_reference_is_the_settings_page(ttsops: Ttsops) -> None:
    assert ttsops("config", "reference").out == settings_page()
