"""`ttsops batch --ray` on two nodes: spread over both; the batch is killed half-way, and then a node."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import wave
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from benchmarks.ray_nodes import RayNodes

pytestmark = [pytest.mark.ray, pytest.mark.timeout(200)]

N = 80
CONFIG = """
engine = "tone"
[engines.tone]
max_streams = 4
[engines.tone.options]
step_seconds = 0.01
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    with RayNodes(worker_port=0) as nodes:
        nodes.add()
        yield nodes


@pytest.fixture
def command(tmp_path: Path, nodes: RayNodes) -> list[str]:
    (tmp_path / "ttsops.toml").write_text(CONFIG)
    rows: list[dict[str, object]] = [
        {"id": f"row-{i}", "text": f"Row {i} is spoken once, wherever that is."} for i in range(N)
    ]
    rows[7]["voice"] = "nobody"
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("batch", "texts.jsonl", "out", "--ray", nodes.address, "--cpus", "3", "--json")
    return [sys.executable, "-m", "ttsops", *words]


def records(out: Path) -> list[dict[str, object]]:
    try:
        data = (out / "journal.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n")]


def spoken(out: Path) -> list[str]:
    return [str(one["id"]) for one in records(out) if one["type"] == "spoken"]


def wait_for(process: subprocess.Popen[str], out: Path, n: int) -> None:
    until = time.monotonic() + 60
    while len(spoken(out)) < n:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it does not get on"
        time.sleep(0.02)


def nodes_that_speak() -> int:
    """Nodes with a worker on them: each is a child of its node's raylet."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith("ray::LineWorker") and process.children():
                found.add(process.ppid())
    return len(found)


def test_a_killed_node_and_a_killed_batch_lose_nothing(
    tmp_path: Path, nodes: RayNodes, command: list[str]
) -> None:
    out = tmp_path / "out"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    start = {"cwd": tmp_path, **pipes, "env": dict(os.environ)}
    process = subprocess.Popen(command, **start)  # type: ignore[call-overload]
    wait_for(process, out, 10)
    process.kill()
    process.communicate()
    assert 10 <= len(spoken(out)) < N - 1
    process = subprocess.Popen(command, **start)  # type: ignore[call-overload]
    wait_for(process, out, 30)
    assert nodes_that_speak() == 2
    nodes.kill()
    n_before = len(spoken(out))
    assert n_before < N - 10, "it was in the middle"
    wait_for(process, out, n_before + 5)
    assert nodes_that_speak() == 1
    told, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    done = json.loads(told)  # whatever Ray has to say is on stderr
    assert done["n_spoken"] + done["n_before"] == N - 1
    assert Counter(spoken(out)) == {f"row-{i}": 1 for i in range(N) if i != 7}, "each once"
    (failed,) = map(json.loads, (out / "errors.jsonl").read_text().splitlines())
    assert (failed["id"], failed["code"]) == ("row-7", "unknown_voice")
    for one in records(out):
        if one["type"] == "spoken":
            with wave.open(str(out / str(one["file"]))) as file:
                assert file.getnframes() / 24_000 == pytest.approx(one["audio_seconds"])
    assert {path.suffix for path in out.iterdir()} == {".wav", ".jsonl", ""}
