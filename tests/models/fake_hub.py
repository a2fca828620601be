"""A hub of models on a socket of this machine: the part of its protocol that fetching needs.

`HEAD` and `GET /REPO/resolve/REVISION/PATH` with ETag, X-Repo-Commit, X-Linked-Etag and ranges, and
`GET /api/models/REPO/revision/REVISION`. https://huggingface.co/docs/hub/api
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from models.conftest import COMMIT, git_sha1, sha256


class FakeHub:
    """Serves `files` of one repository; tests break it as they like."""

    def __init__(self, repo: str, files: Mapping[str, bytes], commit: str = COMMIT) -> None:
        self.repo, self.files, self.commit = repo, dict(files), commit
        self.ranges: list[str] = []
        """Of every GET of a file; empty for the whole."""

        self.cut_after: int | None = None
        """Bytes after which a connection is cut off; None for never."""

        self.stall = threading.Event()
        self.stall.set()
        """Cleared: after `cut_after` bytes an answer waits instead of being cut off."""

        self.damage = False
        """The last byte of every large file is another."""

        self.url = ""

    def etag(self, path: str) -> str:
        is_large = path.endswith((".safetensors", ".bin"))
        return sha256(self.files[path]) if is_large else git_sha1(self.files[path])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *args: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(has_body=False)

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def _answer(self, has_body: bool) -> None:
        hub: FakeHub = self.server.hub
        path = self.path.split("?")[0]
        if re.fullmatch(rf"/api/models/{hub.repo}/revision/(main|{hub.commit})", path):
            siblings = [{"rfilename": name} for name in hub.files]
            self._send(200, json.dumps({"id": hub.repo, "sha": hub.commit, "siblings": siblings}).encode())
            return
        found = re.fullmatch(rf"/{hub.repo}/resolve/(?:main|{hub.commit})/(.+)", path)
        if not found:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, has_body)
        elif found[1] not in hub.files:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, has_body)
        else:
            self._send_file(hub, found[1], has_body)

    def _send_file(self, hub: FakeHub, name: str, has_body: bool) -> None:
        data = hub.files[name]
        facts = {"X-Repo-Commit": hub.commit, "ETag": f'"{hub.etag(name)}"', "Accept-Ranges": "bytes"}
        if hub.damage and name.endswith(".safetensors"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        wanted = self.headers.get("Range", "")
        if has_body:
            hub.ranges.append(wanted)
        if wanted:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            facts["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._send(206, data[start:], facts, has_body)
        else:
            self._send(200, data, facts, has_body)

    def _send(
        self, code: int, body: bytes, headers: Mapping[str, str] | None = None, has_body: bool = True
    ) -> None:
        hub: FakeHub = self.server.hub
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not has_body:
            return
        if hub.cut_after is None or ("Content-Range" not in (headers or {}) and len(body) <= hub.cut_after):
            self.wfile.write(body)
            return
        self.wfile.write(body[: hub.cut_after])
        self.wfile.flush()
        if hub.stall.wait(60):
            self.close_connection = True


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub = hub  # type: ignore[attr-defined]
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        hub.stall.set()
        server.shutdown()
        thread.join()
        server.server_close()
