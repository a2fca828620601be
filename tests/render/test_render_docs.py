"""What `docs/render.md` shows, run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

DOCS = (Path(__file__).parents[2] / "docs" / "render.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert found
    return found[1]


def test_the_first_command_writes_all_its_files(tmp_path: Path) -> None:
    commands = block("sh").replace("ttsops render", f"{sys.executable} -m ttsops render")
    done = subprocess.run(["bash", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("Wrote `harbour.mp3`")
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"harbour.txt", "harbour.mp3", "harbour.srt", "harbour.vtt", "harbour.chapters.json"}


def test_the_python_example_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block("python")], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"\d+\.\d+ \[0\]\n", done.stdout)
    assert (tmp_path / "hello.wav").stat().st_size > 10_000
