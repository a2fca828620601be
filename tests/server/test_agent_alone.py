"""The agent as a service of its own, before a speech server that is reached by its public API."""

import asyncio
import contextlib
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from chat_talker import chatting, until
from server_site import Site, serving, tone_settings
from test_chat_http import seconds_of

from ttsops.agent import Manner, remote
from ttsops.agent.remote import RemoteSpeech
from ttsops.errors import EngineUnavailable
from ttsops.server.keys import KeyStore
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server


@contextlib.contextmanager
def agent_process(
    tts_url: str, log: Path, *options: str, **env: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`ttsops agent` as an operator starts it."""
    command = [sys.executable, "-m", "ttsops", "agent", "--port", "0", "--tts-url", tts_url, *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "TTSOPS_"))}
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, env=clean | env)
    try:
        yield listening_at(process, log), process
    finally:
        process.kill()
        process.wait()


def listening_at(process: subprocess.Popen[bytes], log: Path) -> str:
    ends_at = time.monotonic() + 20
    while not (found := re.search(r"listens on (http://\S+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < ends_at, log.read_text()
        time.sleep(0.02)
    return found.group(1)


@pytest.fixture(scope="module", params=[True, False], ids=["pieces", "clauses"])
def tts(request: pytest.FixtureRequest) -> Iterator[Site]:
    with serving(tone_settings(rtf=0.2, takes_text_in_pieces=request.param)) as site:
        yield site


async def test_it_speaks_through_the_other_server(tts: Site, tmp_path: Path) -> None:
    reply = Reply(("Well, this is said, ", "and ", "2 ", "more. ", "The **end**."), token_seconds=0.05)
    async with FakeLlm(reply, Reply(tuple("word " for _ in range(2000)), token_seconds=0.01)) as llm:
        options = ("--provider", "local", "--model", "fake", "--base-url", f"{llm.url}/v1")
        with agent_process(tts.url, tmp_path / "log", *options) as (url, process):
            assert (await get(f"{url}/health/ready")).status_code == 200
            async with chatting(url) as talker:
                await talker.say("session.config", voice_id="high", language="en")
                await talker.say("input.text", text="Speak.")
                heard = await talker.hear()
                done = heard.only("turn.done")
                assert (done["reason"], done["remembered"]) == ("complete", "".join(reply.tokens))
                words = [word["text"] for event in heard.all("audio.delta") for word in event["words"]]
                assert words == ["Well,", "this", "is", "said,", "and", "two", "more.", "The", "end."]
                starts = [word["start_seconds"] for e in heard.all("audio.delta") for word in e["words"]]
                assert starts == sorted(starts)
                assert heard.only("audio.start")["voice"] == "high"
                await talker.say("input.text", text="Go on.")
                await talker.hear("audio", n_audio=15)
                await talker.say("interrupt", played_seconds=0.75)
                done = (await talker.hear()).only("turn.done")
                assert done["reason"] == "interrupted"
                assert done["remembered"] == "word word"
            await until(lambda: tts.runtime.n_live == 0, "the engine is free")
            await until(lambda: llm.asked[1].hung_up_at, "the model is left")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    log = (tmp_path / "log").read_text()
    assert '"event":"turn"' in log
    assert "word" not in log


class Counting(http.server.BaseHTTPRequestHandler):
    """Is ready, and counts connections."""

    protocol_version = "HTTP/1.1"
    callers: ClassVar[list[Any]] = []

    def setup(self) -> None:
        super().setup()
        self.callers.append(self.client_address)

    def do_GET(self) -> None:
        body = b'{"status": "ok"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


async def test_each_question_may_go_to_another_server() -> None:
    """A connection that is kept leads to the same one, which may be about to stop."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever).start()
        speech = RemoteSpeech(f"http://127.0.0.1:{server.server_port}")
        try:
            assert [await speech.is_ready() for _ in range(3)] == [True, True, True]
        finally:
            await speech.aclose()
            await asyncio.to_thread(server.shutdown)
    assert len(Counting.callers) == 3


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        return await http.get(url)


def test_what_is_wrong_over_there_is_told_here(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    key = store.add("agent")
    site = Site(tone_settings(server={"keys_file": str(tmp_path / "keys.json")}))
    site.start()
    stopped = False
    try:
        with agent_process(site.url, tmp_path / "a", "--provider", "echo") as (url, _):
            answer = httpx.post(f"{url}/chat", json={"text": "Hello there."}, trust_env=False)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
            assert "TTSOPS_API_KEY" in answer.json()["error"]["hint"]
        with agent_process(site.url, tmp_path / "b", "--provider", "echo", TTSOPS_API_KEY=key) as (url, _):
            answer = httpx.post(f"{url}/chat", json={"text": "Hello there."}, trust_env=False)
            assert (answer.status_code, seconds_of(answer.content) > 0.5) == (200, True)
            wrong = httpx.post(f"{url}/chat", json={"text": "x", "voice_id": "nobody"}, trust_env=False)
            assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "unknown_voice")
            other = httpx.post(f"{url}/chat", json={"text": "x", "model": "a/../b"}, trust_env=False)
            assert other.status_code == 404
            site.stop()
            stopped = True
            assert httpx.get(f"{url}/health/ready", trust_env=False).status_code == 503
            gone = httpx.post(f"{url}/chat", json={"text": "Hello there."}, trust_env=False)
            assert (gone.status_code, gone.json()["error"]["code"]) == (503, "engine_unavailable")
            assert "does not answer" in gone.json()["error"]["message"]
            assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
            metrics = httpx.get(f"{url}/metrics", trust_env=False).text
            assert 'tts_agent_turns_total{outcome="ok",provider="echo"} 1.0' in metrics
        assert key not in (tmp_path / "b").read_text()
    finally:
        if not stopped:
            site.stop()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "`llm.provider` is not set"),
        (("--provider", "openai", "--model", "m"), "there is no key"),
        (("--provider", "local", "--model", "m"), "`llm.base_url` is not set"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(options: tuple[str, ...], says: str) -> None:
    hidden = ("LLM_", "OPENAI_", "ANTHROPIC_", "TTSOPS_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    command = [sys.executable, "-m", "ttsops", "agent", "--port", "0", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30)
    assert done.returncode not in (0, 1) or "Traceback" not in done.stderr
    assert done.returncode != 0
    assert says in done.stderr
    assert "LLM_" in done.stderr


@contextlib.asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """The address of a server that takes connections and says nothing."""
    writers = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for one in writers:
            one.close()


async def test_a_speech_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSWER_SECONDS", "READY_SECONDS"):
        monkeypatch.setattr(remote, name, 0.3)
    async with silent() as address, asyncio.timeout(10):
        speech = RemoteSpeech(f"http://user:hunter2@{address}")
        try:
            assert not await speech.is_ready()
            with pytest.raises(EngineUnavailable, match="does not answer") as caught:
                await speech.open(Manner())
        finally:
            await speech.aclose()
    assert "hunter2" not in caught.value.message


async def test_another_service_is_told_from_a_speech_server() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever).start()
        speech = RemoteSpeech(f"http://127.0.0.1:{server.server_port}")
        try:
            with pytest.raises(EngineUnavailable, match="no speech server of this kind"):
                await speech.open(Manner())
        finally:
            await speech.aclose()
            await asyncio.to_thread(server.shutdown)


async def test_whoever_is_spoken_to_when_the_drain_is_over_is_told(tts: Site, tmp_path: Path) -> None:
    async with FakeLlm(Reply(("word ",) * 2000, token_seconds=0.01)) as llm:
        options = ("--provider", "local", "--model", "fake", "--base-url", f"{llm.url}/v1")
        log, limit = tmp_path / "log", {"TTSOPS_RUNTIME__DRAIN_SECONDS": "1"}
        with agent_process(tts.url, log, *options, **limit) as (url, process):
            async with chatting(url) as talker:
                await talker.say("input.text", text="Speak.")
                await talker.hear("audio")
                began_at = time.monotonic()
                process.send_signal(signal.SIGTERM)
                heard = await talker.hear()
                assert heard.only("error")["code"] == "draining"
                assert heard.only("turn.done")["reason"] == "failed"
            assert await asyncio.to_thread(process.wait, 10) == 0
        assert 1.0 < time.monotonic() - began_at < 4.0
    assert "Traceback" not in log.read_text()
