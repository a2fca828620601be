"""`ttsops quality` as a process of its own: killed in the middle of a sweep, and serving a page."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from ops.quality.test_pairs import write
from ops.quality.test_ratings import rating
from ttsops.ops.quality.manifest import read_manifest
from ttsops.ops.quality.ratings import read_ratings

pytestmark = pytest.mark.server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slow.toml").write_text('engine = "tone"\n[engines.tone.options]\nrtf = 0.3\n')
    (tmp_path / "texts.txt").write_text("One two three.\nFour five.\n")
    return tmp_path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "ttsops", "quality", *words]


SWEEP = command(
    *("sweep", "--config", "slow.toml", "--option", "frequency=300,400,500,600", "--seeds", "1,2"),
    *("--texts", "texts.txt", "--no-scores", "--out", "sweep"),
)


def whole_takes(folder: Path) -> dict[str, int]:
    """Every take that the manifest lists, checked against its hash, and when it was written."""
    manifest = read_manifest(folder)
    found = {}
    for take in manifest.takes if manifest else ():
        path = folder / take.file
        assert hashlib.sha256(path.read_bytes()).hexdigest() == take.sha256
        found[take.file] = path.stat().st_mtime_ns
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_what_was_made_survives_and_the_rest_is_made_next_time(folder: Path, how: signal.Signals) -> None:
    process = subprocess.Popen(
        SWEEP, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while len(whole_takes(folder / "sweep")) < 3:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    if how == signal.SIGINT:
        assert (process.returncode, "interrupted" in said, "Traceback" in said) == (130, True, False)
    before = whole_takes(folder / "sweep")
    assert 3 <= len(before) < 16
    done = subprocess.run(SWEEP, cwd=folder, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    after = whole_takes(folder / "sweep")
    assert len(after) == 16
    assert before.items() <= after.items()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    for name in ("nfe-7", "nfe-32"):
        write(tmp_path / name / "x.wav")
    words = command("ab", "nfe-7", "nfe-32", "--serve", "--port", "0")
    process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stderr
    line = process.stderr.readline()
    yield process, line.split()[2]
    process.kill()
    process.wait()
    process.stderr.close()


def test_a_page_is_served_until_ctrl_c(served: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    process, address = served
    assert address.startswith("http://127.0.0.1:")
    with httpx.Client(trust_env=False) as client:
        assert "Listen and rate" in client.get(address).text
        answer = client.post(
            f"{address}ratings",
            content=msgspec.json.encode(rating()),
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 201
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "1 ratings were added to `ratings.jsonl`" in said
    assert read_ratings(tmp_path / "ratings.jsonl") == [rating()]
