"""A server of one's own for the time of a soak, with the operator's settings and on a free port."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from ttsops.errors import EngineUnavailable
from ttsops.ops.health import ask_health
from ttsops.ops.soak.free_port import free_port

POLL_SECONDS = 0.1
STOP_SECONDS = 30.0
LOG_LINES = 5


@contextlib.contextmanager
def local_server(options: Sequence[str], load_seconds: float) -> Iterator[tuple[str, psutil.Process]]:
    """`ttsops serve` with `options`; its address and its process, once it would speak.

    Raises `EngineUnavailable` if it does not get there within `load_seconds`, with the last it said.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "ttsops", "serve", *options, "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink)
        try:
            _wait_ready(process, url, load_seconds, log)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(process: subprocess.Popen[bytes], url: str, load_seconds: float, log: Path) -> None:
    ends_at = time.monotonic() + load_seconds
    while not ask_health(url).is_ready:
        if process.poll() is not None or time.monotonic() > ends_at:
            said = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise EngineUnavailable(
                "the server for the soak did not get ready: " + " / ".join(said or ["it said nothing"])
            )
        time.sleep(POLL_SECONDS)
