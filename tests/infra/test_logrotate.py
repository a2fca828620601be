"""A running server's log is rotated by the real logrotate.

What is in the files is whole, and nothing is lost but what was written between copying and emptying.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.conftest import free_port, is_ready, until
from ops.service.test_units import a_plan
from ttsops.ops.service.systemd import Systemd

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "infra" / "logrotate" / "ttsops"
DROP_IN = ROOT / "infra" / "systemd" / "ttsops-tts.service.d" / "log-to-file.conf"
LOGROTATE = shutil.which("logrotate") or shutil.which("logrotate", path="/usr/sbin")

needs_logrotate = pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """logrotate refuses one that others may write to."""
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o750)
    return logs


@contextlib.contextmanager
def serving(log: Path) -> Iterator[str]:
    """Started as a shell does with `2>>`."""
    port = free_port()
    config = log.parent.parent / "ttsops.toml"
    config.write_text('engine = "tone"\n')
    command = [sys.executable, "-m", "ttsops", "serve", "--config", str(config), "--port", str(port)]
    with log.open("ab") as sink:
        process = subprocess.Popen(command, stderr=sink)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: is_ready(url), what="it is ready", seconds=20)
        yield url
    finally:
        process.terminate()
        process.wait(15)


class Rotation:
    """`logrotate -f` with the committed configuration on another folder."""

    def __init__(self, folder: Path) -> None:
        self._config = folder.parent / "logrotate.conf"
        self._config.write_text(CONFIG.read_text().replace("/var/log/ttsops/", f"{folder}/"))
        self.times: list[tuple[float, float]] = []

    def __call__(self) -> None:
        assert LOGROTATE
        if self.times:
            time.sleep(max(0.0, 1.1 - (time.time() - self.times[-1][1])))  # a copy's name has its second
        began_at = time.time()
        state = self._config.with_suffix(".state")
        command = [LOGROTATE, "--force", "--state", str(state), str(self._config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.times.append((began_at, time.time()))


def lines_of(folder: Path) -> list[str]:
    text = ""
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        text += (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return text.splitlines()


def utterances(folder: Path) -> list[dict[str, Any]]:
    """Every line of JSON is whole; the two greeting lines for a person and the empty one are no JSON."""
    lines = [one for one in lines_of(folder) if not re.match(r"tts-ops speaks on|  curl |    -d |$", one)]
    return [one for one in map(json.loads, lines) if one["event"] == "utterance"]


def speak(url: str, request_id: str) -> None:
    answer = httpx.post(
        f"{url}/v1/audio/speech",
        json={"input": "Yes.", "response_format": "pcm"},
        headers={"x-request-id": request_id},
    )
    assert answer.status_code == 200


@needs_logrotate
@pytest.mark.programs
def test_no_line_is_lost_while_nobody_speaks(folder: Path) -> None:
    log = folder / "ttsops-tts.log"
    rotate = Rotation(folder)
    with serving(log) as url:
        for number in range(3):
            speak(url, f"r{number}")
            until(lambda n=number: f'"r{n}"' in log.read_text(), what="it is logged")  # type: ignore[misc]
            rotate()
            assert log.stat().st_size == 0
        speak(url, "r3")
        until(lambda: '"r3"' in log.read_text(), what="it is logged")
        assert log.read_bytes()[:1] == b"{", "no hole"
    assert sorted(one["request_id"] for one in utterances(folder)) == ["r0", "r1", "r2", "r3"]
    assert len(list(folder.glob("*.gz"))) == 2, "all but the newest copy are compressed"


@needs_logrotate
@pytest.mark.programs
def test_under_load_only_the_known_gap_is_lost(folder: Path) -> None:
    ended: dict[str, tuple[float, float]] = {}
    stop = threading.Event()
    rotate = Rotation(folder)
    with serving(folder / "ttsops-tts.log") as url:

        def ask(name: str) -> None:
            number = 0
            while not stop.is_set():
                began_at = time.time()
                speak(url, f"{name}-{number}")
                ended[f"{name}-{number}"] = began_at, time.time()
                number += 1

        threads = [threading.Thread(target=ask, args=(f"t{n}",)) for n in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        for _ in range(4):
            rotate()
        stop.set()
        for thread in threads:
            thread.join()
    kept = [one["request_id"] for one in utterances(folder)]
    assert len(set(kept)) == len(kept), "no line is there twice"
    lost = ended.keys() - set(kept)
    print(f"{len(ended)} utterances, {len(rotate.times)} rotations, {len(lost)} lines lost")
    assert len(ended) > 50
    for one in lost:
        began_at, ended_at = ended[one]
        assert any(began_at < end and ended_at > start for start, end in rotate.times), one


@pytest.mark.server
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_accepts_the_drop_in(tmp_path: Path) -> None:
    unit = tmp_path / "ttsops-tts.service"
    unit.write_text(Systemd(is_system=True).text(a_plan()))
    drop_ins = tmp_path / "ttsops-tts.service.d"
    drop_ins.mkdir()
    command = ["systemd-analyze", "--system", "--man=no", "verify", str(unit)]

    def verify(text: str) -> str:
        (drop_ins / "log-to-file.conf").write_text(text)
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    assert "log-to-file" not in verify(DROP_IN.read_text())
    assert "log-to-file" in verify(DROP_IN.read_text().replace("append:/var", "append:var")), "it is read"
