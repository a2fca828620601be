"""A real NGINX with the configuration of `infra/nginx`, before servers that may be stopped and started."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from e2e.conftest import free_port, is_ready, until

CONFIG = Path(__file__).parents[2] / "infra" / "nginx" / "ttsops.conf"

# Debian has it where only root's PATH leads to.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

AROUND = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format by_server '$ttsops_request_id $status $upstream_addr';
    access_log {folder}/access.log by_server;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/ttsops.conf;
}}
"""


class Proxy:
    """NGINX, at `url`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder

    def asked(self) -> dict[str, list[str]]:
        """Request id → addresses of the servers it was given to, in order."""
        lines = (self._folder / "access.log").read_text().splitlines()
        return {one.split()[0]: re.findall(r"[0-9.]+:[0-9]+", one) for one in lines}

    @property
    def errors(self) -> str:
        return (self._folder / "error.log").read_text()


@contextlib.contextmanager
def proxying(folder: Path, ports: Sequence[int]) -> Iterator[Proxy]:
    """The committed configuration, with these servers and a free port of its own."""
    assert NGINX
    port = free_port()
    text = CONFIG.read_text()
    line = re.search(r"^ *server 127\.0\.0\.1:8001( .*;)\n", text, re.MULTILINE)
    assert line
    servers = "".join(f"server 127.0.0.1:{one}{line.group(1)}\n" for one in ports)
    text = re.sub(r"( *server 127\.0\.0\.1:[0-9]+ .*;\n)+", servers, text)
    text, n_listens = re.subn(r"listen 127\.0\.0\.1:8080;", f"listen 127.0.0.1:{port};", text)
    assert n_listens == 1
    folder.mkdir()
    (folder / "ttsops.conf").write_text(text)
    whole = folder / "nginx.conf"
    whole.write_text(AROUND.format(folder=folder))
    command = [NGINX, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(whole)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command)
    proxy = Proxy(folder, port)
    try:
        until(lambda: is_listening(port), what="NGINX has started")
        yield proxy
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def is_listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Server:
    """`ttsops serve` on a port that stays the same when it is started again."""

    def __init__(self, folder: Path, name: str, settings: str) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.log = folder / f"{name}.log"
        self._config = folder / f"{name}.toml"
        self._config.write_text(settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Without waiting: see `wait_ready`."""
        command = [sys.executable, "-m", "ttsops", "serve"]
        command += ["--config", str(self._config), "--port", str(self.port)]
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(command, stdout=sink, stderr=sink)

    def wait_ready(self) -> None:
        until(lambda: is_ready(self.url), what=f"ready: {self.log.read_text()}", seconds=30)

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def wait(self) -> int:
        assert self._process
        return self._process.wait(40)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def utterances(self) -> list[dict[str, object]]:
        """What it logged of those that ended, well or not."""
        lines = [json.loads(one) for one in self.log.read_text().splitlines() if one.startswith("{")]
        return [one for one in lines if one["event"] == "utterance"]


@contextlib.contextmanager
def servers(folder: Path, n: int, settings: str) -> Iterator[list[Server]]:
    """They speak."""
    all_of_them = [Server(folder, f"server-{number}", settings) for number in range(n)]
    try:
        for one in all_of_them:
            one.start()
        for one in all_of_them:
            one.wait_ready()
        yield all_of_them
    finally:
        for one in all_of_them:
            one.kill()
