"""What NGINX asks of a second server after the first: the rules of the committed configuration, one by one.

The servers here say one thing to everybody, so that each rule can be seen alone.
"""

from __future__ import annotations

import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e.conftest import free_port
from infra.nginx import CONFIG, NGINX, proxying
from ttsops.settings import ServerSettings, VoiceSettings

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(NGINX is None, reason="NGINX (nginx-light) is not installed"),
]

SPEECH, CHAT, SYNTHESIZE, JOBS = "/v1/audio/speech", "/chat", "/synthesize", "/v1/renders"
LOST, STOPPING, FULL, BEGUN, WELL = (
    b"",
    b"HTTP/1.1 503 -\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 429 -\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n4\r\nRIFF\r\n",
    b"HTTP/1.1 200 -\r\ncontent-length: 2\r\n\r\nok",
)


@contextlib.contextmanager
def saying(answer: bytes, heads: list[bytes] | None = None) -> Iterator[int]:
    """A server that reads a request, says this and hangs up; its port. Lines of heads go into `heads`."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            n_bytes = 0
            while (line := self.rfile.readline().strip()) != b"":
                if heads is not None:
                    heads.append(line.lower())
                if found := re.match(rb"(?i)content-length: (\d+)", line):
                    n_bytes = int(found.group(1))
            self.rfile.read(n_bytes)
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_address[1]
        server.shutdown()


def ask_two_of(folder: Path, answer: bytes, path: str) -> tuple[int | None, int]:
    """The status a client gets, None if the answer broke off; how many of two such servers were asked."""
    with saying(answer) as one, saying(answer) as other, proxying(folder / "nginx", [one, other]) as proxy:
        try:
            status = httpx.post(proxy.url + path, json={}, headers={"x-request-id": "x"}).status_code
        except httpx.RemoteProtocolError:
            status = None
    return status, len(proxy.asked()["x"])


@pytest.mark.parametrize(
    ("answer", "path", "expected"),
    [
        (LOST, SPEECH, (502, 2)),
        (LOST, SYNTHESIZE, (502, 2)),
        (LOST, CHAT, (502, 1)),
        (LOST, JOBS, (502, 1)),
        (STOPPING, SPEECH, (503, 2)),
        (STOPPING, CHAT, (503, 1)),
        (FULL, SPEECH, (429, 1)),
        (BEGUN, SPEECH, (None, 1)),
    ],
)
def test_who_is_asked_again(
    tmp_path: Path, answer: bytes, path: str, expected: tuple[int | None, int]
) -> None:
    assert ask_two_of(tmp_path, answer, path) == expected


@pytest.mark.parametrize("path", [SPEECH, CHAT, JOBS])
def test_nobody_notices_a_server_that_cannot_be_reached(tmp_path: Path, path: str) -> None:
    with saying(WELL) as port, proxying(tmp_path / "nginx", [free_port(), port]) as proxy:
        answers = [httpx.post(proxy.url + path, json={}, headers={"x-request-id": f"{n}"}) for n in range(5)]
        assert [one.status_code for one in answers] == [200] * 5
    assert max(map(len, proxy.asked().values())) == 2, "it was tried"


def test_a_server_is_told_who_asks_and_under_which_id(tmp_path: Path) -> None:
    heads: list[bytes] = []
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = {
        "x-request-id": "mine",
        "traceparent": parent,
        "authorization": "Bearer k",
        "host": "voice.test:81",
    }
    with saying(WELL, heads) as port, proxying(tmp_path / "nginx", [port]) as proxy:
        httpx.post(proxy.url + SPEECH, json={}, headers=sent)
        for line in (
            *(f"{name}: {value}" for name, value in sent.items()),
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-proto: http",
        ):
            assert line.lower().encode() in heads
        assert not any(one.startswith(b"connection:") for one in heads), "it is kept for the next request"
        heads.clear()
        httpx.post(proxy.url + SPEECH, json={})
        assert any(re.fullmatch(rb"x-request-id: [0-9a-f]{32}", one) for one in heads), "one is made"


def test_the_metrics_are_not_shown_to_the_world(tmp_path: Path) -> None:
    with saying(WELL) as port, proxying(tmp_path / "nginx", [port]) as proxy:
        assert httpx.get(f"{proxy.url}/metrics").status_code == 404
        assert httpx.get(f"{proxy.url}/health/ready").status_code == 200


def test_the_configuration_keeps_to_the_servers_own_limits() -> None:
    text = CONFIG.read_text()
    keep_alive = re.search(r"keepalive_timeout (\d+)s", text)
    assert keep_alive
    assert int(keep_alive.group(1)) < ServerSettings().keep_alive_seconds
    body = re.search(r"client_max_body_size (\d+)m", text)
    assert body
    assert int(body.group(1)) * 2**20 >= VoiceSettings().max_reference_bytes
