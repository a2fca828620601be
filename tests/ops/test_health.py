"""Asking a server how it is."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ttsops.errors import InvalidValue
from ttsops.ops.health import ask_health

pytestmark = pytest.mark.server


@contextmanager
def server_that_says(code: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path.endswith("/health") else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("code", "status", "is_ready"), [(200, "ok", True), (200, "degraded", True), (503, "loading", False)]
)
def test_the_servers_own_word_is_passed_on(code: int, status: str, is_ready: bool) -> None:
    with server_that_says(code, json.dumps({"status": status, "version": "1"}).encode()) as url:
        answer = ask_health(url + "/")
    assert (answer.is_up, answer.is_ready, answer.status) == (True, is_ready, status)
    assert answer.body["version"] == "1"


@pytest.mark.parametrize("body", [b"hello", b"[]", b'{"healthy": true}'])
def test_a_server_of_another_kind_is_up_and_not_ready(body: bytes) -> None:
    with server_that_says(200, body) as url:
        answer = ask_health(url)
    assert (answer.is_up, answer.is_ready) == (True, False)
    assert "not a tts-ops server" in answer.status


def test_nobody_there_is_down() -> None:
    with server_that_says(200, b"") as url:
        pass
    answer = ask_health(url)
    assert (answer.is_up, answer.is_ready, answer.status) == (False, False, "Connection refused")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with server_that_says(200, b'{"status": "ok"}') as url:
        assert ask_health(url).is_ready


@pytest.mark.parametrize("url", ["localhost:8001", "ftp://x", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="no address"):
        ask_health(url)
