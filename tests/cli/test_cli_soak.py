"""`ttsops soak`, against servers with and without a leak."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]
MEGABYTE = 1_000_000
SETTINGS = "engine = 'tone'\n[engines.tone.options]\nstep_seconds = 0.001\nleak_bytes_per_request = {}\n"


def soak(ttsops: Ttsops, leak: int, *words: Any) -> Any:
    Path("ttsops.toml").write_text(SETTINGS.format(leak))
    return ttsops("soak", *words)


def test_a_leak_of_a_megabyte_per_request_is_found(ttsops: Ttsops) -> None:
    done = soak(ttsops, MEGABYTE, "--duration", 4, "--rps", 20, "--json")
    assert done.code == 1, done.err
    verdict = json.loads(done.out)["verdict"]
    assert verdict["word"] == "leak"
    assert verdict["total"]["per_request"]["value"] == pytest.approx(MEGABYTE, rel=0.15)
    assert "error: leak: " in done.err
    worker = verdict["processes"][1]
    assert worker["name"].startswith("worker ")
    assert worker["per_request"]["low"] > 0.8 * MEGABYTE


def test_without_a_leak_it_does_not_cry(ttsops: Ttsops) -> None:
    done = soak(ttsops, 0, "--duration", 4, "--rps", 20, "--tolerance", 100)
    assert "verdict: leak" not in done.out
    assert "requests in" in done.out


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("leak", "word"), [(MEGABYTE, "leak"), (0, "no leak")])
def test_five_minutes_are_enough_to_tell(ttsops: Ttsops, leak: int, word: str) -> None:
    done = soak(ttsops, leak, "--duration", 300, "--rps", 2, "--json")
    assert json.loads(done.out)["verdict"]["word"] == word, done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--url", "http://192.0.2.7:8001"), "may be on another machine"),
        (("--url", "http://127.0.0.1:1"), "no process of this user listens on port 1"),
        (("--url", "ftp://x"), "is no address of a server"),
        (("--url", "http://127.0.0.1:1", "--engine", "tone"), "`--engine` is for the server that is started"),
        (("--pid", 1), "say where with `--url`"),
    ],
)
def test_what_cannot_be_soaked_is_wrong_usage(ttsops: Ttsops, words: tuple[Any, ...], told: str) -> None:
    done = ttsops("soak", *words)
    assert (done.code, told in done.err) == (2, True), done.err


def test_a_server_that_does_not_start_is_told_with_what_it_said(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text(
        "engine = 'tone'\n[engines.tone.options]\nfail_to_load = true\n[runtime]\nload_seconds = 1\n"
    )
    done = ttsops("soak", "--duration", 2)
    assert done.code == 3
    assert "did not get ready" in done.err
