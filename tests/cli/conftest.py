"""The command line as a user has it: words in; exit code, stdout and stderr out."""

import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ttsops.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    raw: bytes
    """stdout as bytes."""


class Stdin(io.TextIOWrapper):
    def __init__(self, text: str, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(text.encode()))
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.fixture
def own_logging() -> Iterator[None]:
    """A command configures the logging of its process."""
    root = logging.getLogger()
    handlers, level, show = root.handlers[:], root.level, warnings.showwarning
    yield
    logging.captureWarnings(False)
    root.handlers[:], warnings.showwarning = handlers, show
    root.setLevel(level)


@pytest.fixture
def ttsops(
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_logging: None,
) -> Callable[..., Done]:
    """`ttsops("say", "-", stdin="Hello.")`, in an empty directory, on a machine without a player."""
    monkeypatch.chdir(tmp_path)
    for name in ("TTSOPS_DEBUG", "TTSOPS_CONFIG", "TTSOPS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    bin_folder = tmp_path.parent / f"{tmp_path.name}-bin"
    bin_folder.mkdir()
    monkeypatch.setenv("PATH", str(bin_folder))

    def run(*words: Any, stdin: str = "", is_terminal: bool = False) -> Done:
        monkeypatch.setattr(sys, "stdin", Stdin(stdin, is_terminal))
        capfdbinary.readouterr()
        code = main([str(word) for word in words])
        out, err = capfdbinary.readouterr()
        return Done(code, out.decode(errors="replace"), err.decode(), out)

    return run


@pytest.fixture
def player(tmp_path: Path, ttsops: Any) -> Callable[[int], Path]:
    """Installs an `aplay` that writes what it hears to a file and ends with this code."""

    def install(code: int) -> Path:
        heard = tmp_path.parent / f"{tmp_path.name}-heard"
        program = tmp_path.parent / f"{tmp_path.name}-bin" / "aplay"
        program.write_text(f"#!/bin/sh\n/bin/cat > '{heard}'\nexit {code}\n")
        program.chmod(0o755)
        return heard

    return install
