"""What `docs/batch.md` shows, run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ttsops.batch.manifest import MAX_TEXT_CHARS, Line

pytestmark = pytest.mark.server

DOCS = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")


def test_the_first_command_writes_its_files(tmp_path: Path) -> None:
    found = re.search(r"```sh\n(.*?)```", DOCS, re.DOTALL)
    assert found
    commands = found[1].replace("ttsops batch", f"{sys.executable} -m ttsops batch")
    done = subprocess.run(["bash", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("Wrote 3 of 3 files into `speech`: 0:05 of speech in 0:0")
    assert {path.name for path in (tmp_path / "speech").iterdir()} == {
        "welcome.wav", "platform-2.mp3", "3.wav", "journal.jsonl", "lock",
    }  # fmt: skip


def test_every_key_is_described() -> None:
    table = DOCS.partition("| key |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+)`", table)) >= set(Line.__struct_fields__)
    assert f"{MAX_TEXT_CHARS:,}".replace(",", " ") in table
