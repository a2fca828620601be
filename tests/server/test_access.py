"""API keys, as callers meet them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets
from server_site import Site, client_of, metric, serving, tone_settings

from ttsops.errors import ConfigError
from ttsops.server.gate import OPEN_PATHS
from ttsops.server.keys import RELOAD_SECONDS, KeyStore

pytestmark = pytest.mark.server

SPEECH = "/v1/audio/speech"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return KeyStore(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="module")
def secret(store: KeyStore) -> str:
    return store.add("website")


@pytest.fixture(scope="module")
def limited(store: KeyStore) -> str:
    return store.add("trial", max_concurrency=1, rate_per_minute=3.0)


@pytest.fixture(scope="module")
def locked_site(store: KeyStore, secret: str, limited: str) -> Iterator[Site]:
    with serving(tone_settings(server={"keys_file": str(store.path)}, rtf=0.2)) as site:
        yield site


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def locked(locked_site: Site) -> Iterator[httpx.Client]:
    with client_of(locked_site) as client:
        yield client


@pytest.mark.parametrize("header", [{}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}])
def test_without_a_key_a_caller_is_told_how_to_send_one(locked: httpx.Client, header: dict[str, str]) -> None:
    answer = locked.post(SPEECH, json={"input": "Hi."}, headers=header)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == ("unauthorized", "authentication_error")
    assert "Authorization: Bearer" in error["hint"]


def test_a_wrong_key_is_refused_and_a_right_one_speaks(locked: httpx.Client, secret: str) -> None:
    unauthorized = metric("tts_errors_total", engine="none", code="unauthorized")
    assert locked.post(SPEECH, json={"input": "Hi."}, headers=bearer("sk-wrong")).status_code == 401
    assert metric("tts_errors_total", engine="none", code="unauthorized") == unauthorized + 1
    assert locked.post(SPEECH, json={"input": "Hi."}, headers=bearer(secret)).status_code == 200


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_probes_and_descriptions_need_no_key(locked: httpx.Client, path: str) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/models", "/v1/audio/voices", "/metrics", "/nope"])
def test_everything_else_does(locked: httpx.Client, path: str, secret: str) -> None:
    assert locked.get(path).status_code == 401
    assert locked.get(path, headers=bearer(secret)).status_code in (200, 404)


def test_the_description_says_that_a_key_is_needed(locked: httpx.Client) -> None:
    assert locked.get("/openapi.json").json()["security"] == [{"key": []}]


async def test_a_socket_without_a_key_is_refused_at_the_handshake(locked_site: Site, secret: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(locked_site.ws_url, proxy=None)
    assert caught.value.response.status_code == 401
    assert b"unauthorized" in (caught.value.response.body or b"")
    async with websockets.connect(
        locked_site.ws_url, proxy=None, additional_headers=bearer(secret)
    ) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"]


async def test_a_page_carries_its_key_in_a_subprotocol(locked_site: Site, secret: str) -> None:
    wrong = ["ttsops", "ttsops-key.sk-wrong"]
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(locked_site.ws_url, proxy=None, subprotocols=wrong)  # type: ignore[arg-type]
    assert caught.value.response.status_code == 401
    offered = ["ttsops", f"ttsops-key.{secret}"]
    async with websockets.connect(locked_site.ws_url, proxy=None, subprotocols=offered) as socket:  # type: ignore[arg-type]
        assert socket.subprotocol == "ttsops", "what is chosen never repeats the key"


def test_a_key_over_its_limits_is_told_when_to_come_back(locked: httpx.Client, limited: str) -> None:
    ask = {"input": "This takes a while to say. " * 10, "response_format": "pcm"}
    with locked.stream("POST", SPEECH, json=ask, headers=bearer(limited)) as first:
        pieces = first.iter_bytes()
        next(pieces)
        second = locked.post(SPEECH, json=ask, headers=bearer(limited))
        assert (second.status_code, second.json()["error"]["code"]) == (429, "rate_limited")
        assert "at once" in second.json()["error"]["message"]
        assert int(second.headers["retry-after"]) >= 1
        assert sum(map(len, pieces)) > 0
    for _ in range(2):
        assert locked.post(SPEECH, json={"input": "Hi."}, headers=bearer(limited)).status_code == 200
    over = locked.post(SPEECH, json={"input": "Hi."}, headers=bearer(limited))
    assert over.status_code == 429
    assert "a minute" in over.json()["error"]["message"]
    assert 10 <= int(over.headers["retry-after"]) <= 20, "one every twenty seconds"
    assert locked.get("/v1/models", headers=bearer(limited)).status_code == 200, "only speech is counted"


async def test_each_audio_of_a_socket_counts_against_the_key(locked_site: Site, store: KeyStore) -> None:
    headers = bearer(store.add("talker", rate_per_minute=1.0))
    await asyncio.sleep(RELOAD_SECONDS)
    async with websockets.connect(locked_site.ws_url, proxy=None, additional_headers=headers) as socket:
        await socket.send('{"type": "session.config"}')
        events = []
        for _ in range(2):
            await socket.send('{"type": "input.text", "text": "Hi there."}')
            await socket.send('{"type": "input.done"}')
            while not events or events[-1]["type"] != "session.done":
                if isinstance(frame := await socket.recv(), str):
                    events.append(json.loads(frame))
            *before, done = events
            events = []
        assert done["error"] == "rate_limited"
        assert [event["type"] for event in before] == ["error"]
        assert 30 < before[0]["retry_after"] <= 60


def test_a_hang_up_gives_the_place_back(locked_site: Site, store: KeyStore) -> None:
    alone = store.add("alone", max_concurrency=1)
    ask = {"input": "This takes a while to say. " * 10, "response_format": "pcm"}
    with client_of(locked_site, headers=bearer(alone)) as client:
        answered = threading.Event()
        while not answered.is_set():  # until the server has seen the new key
            with client.stream("POST", SPEECH, json=ask) as answer:
                if answer.status_code == 200:
                    next(answer.iter_bytes())
                    answered.set()
        for _ in range(100):
            if (again := client.post(SPEECH, json={"input": "Hi."})).status_code == 200:
                break
        assert again.status_code == 200


def test_a_server_with_a_missing_key_file_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match="cannot be read"),
        serving(tone_settings(server={"keys_file": str(tmp_path / "none.json")})),
    ):
        pass
