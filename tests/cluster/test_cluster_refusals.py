"""What `ttsops cluster` refuses, with and without Ray."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server


def ttsops(folder: Path, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "ttsops"]
    return subprocess.run(
        [sys.executable, *start, *words], cwd=folder, capture_output=True, text=True, timeout=100
    )


WITHOUT_RAY = """
import sys, importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "ray" else found(name, *more)
from ttsops.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words", [("cluster", "up"), ("cluster", "status"), ("cluster", "down"), ("batch", "--ray", "auto")]
)
def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, words: tuple[str, ...]) -> None:
    if words[0] == "batch":
        (tmp_path / "texts.jsonl").write_text('{"text": "Hello."}\n')
        words = (*words, "texts.jsonl", "out")
    done = ttsops(tmp_path, *words, code=WITHOUT_RAY)
    assert done.returncode == 3
    assert "needs the package `ray`, which is not installed" in done.stderr
    assert "pip install 'tts-ops[ray]'" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--replicas", "2", "--max-replicas", "4"), "either `--replicas`"),
        (("--min-replicas", "4", "--max-replicas", "2"), "must be at least 4"),
        (("--replicas", "0"), "0 is not in the range"),
    ],
)
def test_a_wrong_number_of_replicas_is_refused(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = ttsops(tmp_path, "cluster", "up", *words)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.ray
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[render]\nfolder = "jobs"\n', "`render.folder` is set"),
        ("[agent]\nenabled = true\n", "`agent.enabled` is set"),
    ],
)
def test_what_only_one_server_can_keep_is_refused(tmp_path: Path, settings: str, told: str) -> None:
    (tmp_path / "ttsops.toml").write_text(settings)
    done = ttsops(tmp_path, "cluster", "up", "--address", "127.0.0.9:1")
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.ray
def test_no_cluster_is_exit_code_3(tmp_path: Path) -> None:
    done = ttsops(tmp_path, "cluster", "up", "--address", "127.0.0.9:1")
    assert done.returncode == 3
    assert "no Ray cluster answers at `127.0.0.9:1`" in done.stderr
    assert "ray start --head" in done.stderr
