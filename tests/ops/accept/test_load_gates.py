"""A server that takes everybody, answers wrongly, or keeps places of those who left does not pass."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.server_site import tone_settings
from ttsops.ops.accept.client import Client
from ttsops.ops.accept.gate import Failed, Skipped
from ttsops.ops.accept.load import check_back_pressure, check_cancellation
from ttsops.ops.accept.serving import tiny
from ttsops.settings import AcceptSettings, Settings

pytestmark = pytest.mark.server

LIMITS = AcceptSettings()
Serve = Callable[[Settings], Client]
CHARS = 20_000


def test_a_full_server_refuses_and_says_when(serve: Serve) -> None:
    found = check_back_pressure(serve(tiny(tone_settings())), LIMITS, max_chars=CHARS)
    assert found.figures == {"refused": 4, "served": 2}
    assert "Retry-After 1 to" in found.detail


def test_a_server_with_room_for_all_fails(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttsops.ops.accept.load.ANSWER_SECONDS", 0.3)
    with pytest.raises(Failed, match="6 at once, and nobody got 429"):
        check_back_pressure(serve(tone_settings()), LIMITS, max_chars=CHARS)


class Stub(http.server.BaseHTTPRequestHandler):
    """Another server, which answers as its class says."""

    status, code, retry_after = 429, "overloaded", "2"

    def do_POST(self) -> None:
        self.send_response(self.status)
        if self.retry_after:
            self.send_header("Retry-After", self.retry_after)
        body = json.dumps({"error": {"code": self.code, "message": "full"}}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def stub(request: pytest.FixtureRequest) -> Iterator[Client]:
    handler = type("Answering", (Stub,), request.param)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Client(f"http://127.0.0.1:{server.server_port}", "tone")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("stub", "problem"),
    [
        ({}, "nobody was served"),
        ({"retry_after": ""}, "a 429 has `Retry-After: `, not a number of seconds"),
        ({"retry_after": "soon"}, "a 429 has `Retry-After: soon`"),
        ({"code": "busy"}, "a 429 has the code `busy`"),
        ({"status": 503}, r"statuses: \{503: 6\}"),
    ],
    indirect=["stub"],
)
def test_a_refusal_that_helps_nobody_fails(stub: Client, problem: str) -> None:
    with pytest.raises(Failed, match=problem):
        check_back_pressure(stub, LIMITS, max_chars=100)


def test_a_place_comes_free_when_its_listener_leaves(serve: Serve) -> None:
    found = check_cancellation(serve(tiny(tone_settings())), LIMITS, max_chars=CHARS)
    assert 0 <= found.figures["cancel_seconds"] < 2


def test_a_place_that_stays_taken_fails(serve: Serve) -> None:
    client = serve(tiny(tone_settings(step_seconds=1.5)))
    with pytest.raises(Failed, match=r"still taken 0\.3 s after its listener hung up"):
        check_cancellation(client, AcceptSettings(max_cancel_seconds=0.3), max_chars=CHARS)


def test_an_engine_that_dies_with_a_listener_fails(serve: Serve) -> None:
    with pytest.raises(Failed, match=r"HTTP 5\d\d instead of speech"):
        check_cancellation(
            serve(tiny(tone_settings(fail_after_steps=1, chunk_seconds=0.001, first_audio_seconds=0.1))),
            LIMITS,
            max_chars=CHARS,
        )


def test_what_cannot_be_told_is_skipped(serve: Serve) -> None:
    with pytest.raises(Skipped, match="was over before it could be cut off"):
        check_cancellation(serve(tone_settings()), LIMITS, max_chars=40)
    client = serve(tone_settings())
    with client.unread("long " * 4000), pytest.raises(Skipped, match="others are being served"):
        check_cancellation(client, AcceptSettings(max_cancel_seconds=0.2), max_chars=CHARS)
