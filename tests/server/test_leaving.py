"""A server that is told to stop: what was begun is spoken to its end, what is new is sent elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets
from chat_talker import chat_settings
from server_process import Process, any_port, running
from server_site import tone_settings
from socket_talker import CHAR_SECONDS, STREAMED, Talker
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ttsops.settings import LlmSettings
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server

SPEECH = "/v1/audio/speech"
BY_SENTENCE = STREAMED | {"split_granularity": "sentence"}
FIRST, SECOND = "One is begun. ", "The other comes later."


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@asynccontextmanager
async def socket_to(process: Process) -> AsyncIterator[Talker]:
    url = process.url.replace("http", "ws", 1) + SPEECH + "/stream"
    async with websockets.connect(url, max_size=None, proxy=None) as socket:
        talker = Talker(socket)
        await talker.configure(BY_SENTENCE)
        yield talker


async def until_ready_is(process: Process, status: int) -> None:
    async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client, asyncio.timeout(5):
        while (await client.get("/health/ready")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_an_utterance_of_which_nothing_is_spoken_at_the_moment_is_spoken_to_its_end(
    directory: Path,
) -> None:
    with running(any_port(tone_settings()), directory) as process:
        async with socket_to(process) as talker:
            await talker.say("input.text", text=FIRST)
            await talker.say("input.flush")
            first = await talker.hear("audio.done")
            process.signal(signal.SIGTERM)
            await until_ready_is(process, 503)
            await talker.say("input.text", text=SECOND)
            await talker.say("input.done")
            rest = await talker.hear()
        assert process.wait() == 0
    assert "error" not in rest.kinds
    assert first.seconds + rest.seconds == pytest.approx(len(FIRST + SECOND) * CHAR_SECONDS, abs=CHAR_SECONDS)


async def test_a_socket_that_was_let_in_has_its_first_utterance_and_no_second(directory: Path) -> None:
    with running(any_port(tone_settings()), directory) as process:
        async with socket_to(process) as talker:
            await asyncio.sleep(0.1)
            process.signal(signal.SIGTERM)
            await until_ready_is(process, 503)
            await talker.say("input.text", text=FIRST)
            await talker.say("input.done")
            await talker.say("input.text", text=SECOND)
            await talker.say("input.done")
            one = await talker.hear()
            other = await talker.hear()
        assert process.wait() == 0
    assert one.seconds == pytest.approx(len(FIRST) * CHAR_SECONDS, abs=CHAR_SECONDS)
    assert other.only("error")["code"] == "draining"
    assert not other.audio


async def test_a_new_socket_is_refused_with_a_status_that_a_proxy_understands(directory: Path) -> None:
    with running(any_port(tone_settings(rtf=0.5)), directory) as process:
        async with socket_to(process) as talker:
            await talker.say("input.text", text=FIRST)
            await talker.say("input.done")
            await talker.hear("audio")
            process.signal(signal.SIGTERM)
            await until_ready_is(process, 503)
            with pytest.raises(InvalidStatus) as caught:
                async with socket_to(process):
                    pass
            refusal = caught.value.response
            assert refusal.status_code == 503
            assert json.loads(refusal.body)["error"]["code"] == "draining"
            assert int(refusal.headers["retry-after"]) >= 1


async def test_connections_are_given_back_while_it_drains(directory: Path) -> None:
    with running(any_port(tone_settings(rtf=0.5)), directory) as process:
        async with socket_to(process) as talker, httpx.AsyncClient(trust_env=False) as client:
            assert "connection" not in (await client.get(f"{process.url}/health/live")).headers
            await talker.say("input.text", text=FIRST)
            await talker.say("input.done")
            await talker.hear("audio")
            process.signal(signal.SIGTERM)
            await until_ready_is(process, 503)
            assert (await client.get(f"{process.url}/health/live")).headers["connection"] == "close"
            refused = await client.post(process.url + SPEECH, json={"input": "Hi."})
            assert (refused.status_code, refused.headers["connection"]) == (503, "close")


async def test_a_connection_with_nothing_on_it_is_kept_for_as_long_as_is_set(directory: Path) -> None:
    with running(any_port(tone_settings(), keep_alive_seconds=1), directory) as process:
        host, port = process.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200 OK" in await reader.readuntil(b"}")
        answered_at = time.monotonic()
        async with asyncio.timeout(4):
            assert await reader.read() == b"", "it is closed"
        assert time.monotonic() - answered_at > 0.9
        writer.close()


async def test_a_lame_duck_says_that_it_leaves_and_speaks_all_the_same(directory: Path) -> None:
    settings = any_port(tone_settings(), lame_duck_seconds=1.5)
    with running(settings, directory) as process:
        assert process.url, "it is ready"
        process.signal(signal.SIGTERM)
        async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
            await until_ready_is(process, 503)
            answer = await client.post(SPEECH, json={"input": "Hi.", "response_format": "pcm"})
            assert answer.status_code == 200
            assert len(answer.content) == 2 * 24_000 * 3 * CHAR_SECONDS
            assert (await client.get("/health/ready")).json()["status"] == "draining"
        assert process.wait() == 0
        assert '"lame_duck_seconds":1.5' in process.said


async def test_a_second_signal_ends_a_lame_duck_at_once(directory: Path) -> None:
    with running(any_port(tone_settings(), lame_duck_seconds=60.0), directory) as process:
        assert process.url, "it is ready"
        process.signal(signal.SIGTERM)
        await until_ready_is(process, 503)
        process.signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM


async def test_an_answer_that_is_still_being_written_is_spoken_to_its_end(directory: Path) -> None:
    """By an engine that speaks whole sentences: the second is opened when nothing new is taken any more."""
    sentences = ("The first sentence is here already. ", "And the second one follows it.")
    async with FakeLlm(Reply(tokens=sentences, token_seconds=1.0)) as llm:
        model = LlmSettings(provider="local", model="fake", base_url=f"{llm.url}/v1")
        settings = chat_settings(model, engine=tone_settings(takes_text_in_pieces=False))
        with running(any_port(settings), directory) as process:
            question = {"text": "Well?", "response_format": "pcm", "stream": True}
            async with (
                httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=20) as client,
                client.stream("POST", "/chat", json=question) as answer,
            ):
                pieces = answer.aiter_bytes()
                n_bytes = len(await anext(pieces))
                process.signal(signal.SIGTERM)
                await until_ready_is(process, 503)
                refused = await client.post("/chat", json=question)
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
                async for piece in pieces:
                    n_bytes += len(piece)
            assert process.wait() == 0
        assert len(llm.asked) == 1, "no model is asked for an answer that would not be spoken"
    assert n_bytes / 48_000 == pytest.approx(len("".join(sentences)) * CHAR_SECONDS, abs=2 * CHAR_SECONDS)


async def test_a_conversation_that_was_let_in_has_its_first_answer(directory: Path) -> None:
    with running(any_port(chat_settings()), directory) as process:
        url = process.url.replace("http", "ws", 1) + "/chat/stream"
        async with websockets.connect(url, max_size=None, proxy=None) as socket:
            process.signal(signal.SIGTERM)
            await until_ready_is(process, 503)
            await socket.send(json.dumps({"type": "input.text", "text": "Well?"}))
            frames = [frame async for frame in until_closed(socket)]
        assert process.wait() == 0
    ends = [event for event in map(json.loads, frames) if event["type"] in ("turn.done", "error")]
    assert [event["reason"] for event in ends] == ["complete"]
    assert socket.close_code == 1012


async def until_closed(socket: ClientConnection) -> AsyncIterator[str]:
    """The text frames that still come."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            while True:
                frame = await socket.recv()
                if isinstance(frame, str):
                    yield frame
