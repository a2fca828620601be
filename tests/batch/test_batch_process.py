"""`ttsops batch` as a process: killed, interrupted, without room, twice at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]

N = 36
CONFIG = """
engine = "tone"
[engines.tone]
max_streams = 4
[engines.tone.options]
step_seconds = 0.005
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "ttsops.toml").write_text(CONFIG)
    rows = (
        {"id": f"row-{i}", "text": f"Row {i} is spoken once, whatever ends the process."} for i in range(N)
    )
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [sys.executable, "-m", "ttsops", "batch", "texts.jsonl", "out"]


@pytest.fixture
def start(tmp_path: Path, command: list[str]) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """In a process group of its own, as a shell's jobs are."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def spoken(out: Path) -> list[str]:
    try:
        data = (out / "journal.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    lines = [json.loads(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n")]
    return [one["id"] for one in lines if one["type"] == "spoken"]


def wait_for(out: Path, n: int) -> None:
    until = time.monotonic() + 30
    while len(spoken(out)) < n:
        assert time.monotonic() < until, "it does not get on"
        time.sleep(0.01)


def assert_whole(out: Path) -> None:
    assert Counter(spoken(out)) == {f"row-{i}": 1 for i in range(N)}, "each once"
    files = {path.name for path in out.iterdir()}
    assert files == {f"row-{i}.wav" for i in range(N)} | {"journal.jsonl", "lock"}
    lengths = {path.name: path.stat().st_size for path in out.glob("*.wav")}
    for line in (out / "journal.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["type"] == "spoken":
            with wave.open(str(out / record["file"])) as file:
                assert file.getnframes() / 24_000 == pytest.approx(record["audio_seconds"])
            assert lengths[record["file"]] == record["n_bytes"]


def test_killed_twice_it_goes_on_and_nothing_is_lost_or_spoken_twice(
    tmp_path: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    out = tmp_path / "out"
    for n in (8, 20):
        process = start()
        wait_for(out, n)
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers, "the engine is in a process of its own"
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert not alive, "its worker ends with it"
        kept = {path.name: path.stat().st_mtime_ns for path in out.glob("*.wav")}
        known = {f"{name}.wav" for name in spoken(out)}
        assert n <= len(known) < N
    process = start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert_whole(out)
    for name in known:
        assert (out / name).stat().st_mtime_ns == kept[name], "what was done was not touched"


def test_ctrl_c_ends_it_cleanly(tmp_path: Path, start: Callable[[], subprocess.Popen[str]]) -> None:
    """A terminal sends it to the worker, too."""
    out = tmp_path / "out"
    process = start()
    wait_for(out, 10)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    told = "Stopped; what is done is kept. The same command goes on.", "error: interrupted"
    assert tuple(filter(None, said.splitlines())) == told
    assert len(list(out.glob("*.wav"))) == len(spoken(out)), "nothing half done"
    assert list(out.glob(".*")) == []
    again = start()
    _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said
    assert_whole(out)


def test_two_at_once_do_not_mix(tmp_path: Path, start: Callable[[], subprocess.Popen[str]]) -> None:
    first = start()
    wait_for(tmp_path / "out", 5)
    second = start()
    _, said = second.communicate(timeout=30)
    assert second.returncode == 2
    assert "another process is speaking a batch into `out`" in said
    _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said
    assert_whole(tmp_path / "out")


def test_a_full_disk_stops_it_and_with_room_it_goes_on(
    tmp_path: Path, small_disk: Path, command: list[str]
) -> None:
    out = small_disk / "out"
    full = subprocess.run([*command[:-1], str(out)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert full.returncode == 1
    assert "No space left on device" in full.stderr
    assert "Traceback" not in full.stderr
    n_before = len(spoken(out))
    assert 0 < n_before < N
    for name in spoken(out):
        with wave.open(str(out / f"{name}.wav")) as file:
            assert file.getnframes()
    assert list(out.glob(".*")) == []
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    done = subprocess.run([*command[:-1], str(out)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"{n_before} were there already" in done.stderr
    assert_whole(out)


def test_a_worker_that_is_killed_costs_no_line(
    tmp_path: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    process = start()
    for n in (6, 16):
        wait_for(tmp_path / "out", n)
        for worker in psutil.Process(process.pid).children(recursive=True):
            worker.kill()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert_whole(tmp_path / "out")
