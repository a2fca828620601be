"""The command line as a user has it: words in; exit code, stdout and stderr out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ttsops.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Ttsops = Callable[..., Done]


@pytest.fixture
def ttsops(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ttsops:
    """`ttsops("version", "--json")`, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TTSOPS_DEBUG", raising=False)

    def run(*words: str) -> Done:
        capfd.readouterr()
        code = main(words)
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run
