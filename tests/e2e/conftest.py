"""A server as an operator starts it: a process of its own, reached over a real socket."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest


@dataclass
class RunningServer:
    """A server process."""

    url: str
    process: psutil.Process
    log: Path

    def workers(self) -> list[psutil.Process]:
        return [child for child in self.process.children(recursive=True) if child.status() != "zombie"]

    def metric(self, name: str, **labels: str) -> float:
        """The sum over all series of `name` that carry these labels; 0 if there is none."""
        total = 0.0
        for line in httpx.get(f"{self.url}/metrics").text.splitlines():
            series, _, value = line.rpartition(" ")
            if series.split("{")[0] == name and all(
                f'{key}="{text}"' in series for key, text in labels.items()
            ):
                total += float(value)
        return total


StartServer = Callable[[str], RunningServer]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """`start_server(toml)` serves with these settings until the test ends."""
    started: list[subprocess.Popen[bytes]] = []

    def start(settings: str) -> RunningServer:
        number = len(started)
        config = tmp_path / f"ttsops-{number}.toml"
        config.write_text(settings)
        log = tmp_path / f"server-{number}.log"
        port = free_port()
        command = [sys.executable, "-m", "ttsops", "serve", "--config", str(config), "--port", str(port)]
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink)
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        until(lambda: is_ready(url), what=f"ready; its log: {log.read_text()}", seconds=20)
        return RunningServer(url, psutil.Process(process.pid), log)

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def until(condition: Callable[[], bool], *, what: str, seconds: float = 10.0) -> None:
    """Wait for something another process does."""
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
