"""`ttsops batch`, as a user has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops.cli.progress import LINE_EVERY_SECONDS, LogLines
from ttsops.testing import VirtualClock

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]


def write(*rows: dict[str, object]) -> str:
    Path("texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "texts.jsonl"


def test_files_are_written_and_summed_up(ttsops: Ttsops) -> None:
    manifest = write({"text": "One."}, {"text": "Two.", "format": "mp3"})
    done = ttsops("batch", manifest, "out", "--engine", "tone")
    assert done.code == 0, done.err
    assert done.out == ""
    assert done.err.startswith("Wrote 2 of 2 files into `out`: 0:0")
    assert {path.name for path in Path("out").iterdir()} == {"1.wav", "2.mp3", "journal.jsonl", "lock"}
    again = ttsops("batch", manifest, "out", "--engine", "tone", "--json")
    assert json.loads(again.out) | {"seconds": 0} == {
        "n_lines": 2, "n_spoken": 0, "n_before": 2, "n_failed": 0, "audio_seconds": 0.0, "seconds": 0,
    }  # fmt: skip


def test_lines_that_failed_are_exit_code_1(ttsops: Ttsops) -> None:
    manifest = write({"text": "One."}, {"text": "Two.", "speed": 9})
    done = ttsops("batch", manifest, "out", "--engine", "tone")
    assert done.code == 1
    assert "1 lines failed: `out/errors.jsonl` says why" in done.err
    (error,) = map(json.loads, Path("out/errors.jsonl").read_text().splitlines())
    assert (error["line"], error["id"], error["code"]) == (2, "2", "invalid_value")
    assert "0.25 to 4" in error["message"]
    write({"text": "One."}, {"text": "Two."})
    assert ttsops("batch", manifest, "out", "--engine", "tone").code == 0
    assert not Path("out/errors.jsonl").exists()


def test_a_wrong_manifest_is_exit_code_2(ttsops: Ttsops) -> None:
    done = ttsops("batch", write({"text": "One."}, {"text": "x", "id": "../x"}), "out", "--engine", "tone")
    assert done.code == 2
    assert "line 2: the id '../x' is no safe file name" in done.err
    assert not Path("out").exists()


def test_an_engine_that_cannot_be_loaded_is_exit_code_3(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("[engines.tone.options]\nfail_to_load = true\n")
    done = ttsops("batch", write({"text": "One."}), "out", "--engine", "tone")
    assert done.code == 3
    Path("ttsops.toml").unlink()
    assert ttsops("batch", "texts.jsonl", "out", "--engine", "tone").code == 0, "and it goes on"


def test_other_options_are_another_batch(ttsops: Ttsops) -> None:
    manifest = write({"text": "One."})
    assert ttsops("batch", manifest, "out", "--engine", "tone").code == 0
    done = ttsops("batch", manifest, "out", "--engine", "tone", "--format", "mp3")
    assert done.code == 2
    assert "begun with other defaults: format" in done.err


def test_without_a_terminal_a_line_comes_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = VirtualClock()
    lines = LogLines(clock)
    for _ in range(25):
        clock.advance(1.0)
        lines.update(f"at {clock():.0f}")
    assert LINE_EVERY_SECONDS == 10.0
    assert capsys.readouterr().err.splitlines() == ["at 10", "at 20"]
