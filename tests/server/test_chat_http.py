"""`POST /chat`: spoken answers of every wrapping, and what a client gets when the model fails."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from chat_talker import chat_settings, chat_site, until
from server_site import Site, client_of, metric, serving, tone_settings

from ttsops.audio import decode_audio
from ttsops.server.keys import KeyStore
from ttsops.settings import LlmSettings
from ttsops.speech import SAMPLE_RATE
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server

SPEAK = {"text": "Speak.", "conversation_id": "c"}
QUESTION = "Good morning. It is a fine day."


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(chat_settings()) as site:
        yield site


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    with client_of(site) as client:
        yield client


def model_at(llm: FakeLlm, **more: object) -> LlmSettings:
    given = {"max_retries": 0, "first_token_seconds": 5.0} | more
    return LlmSettings(provider="local", model="fake", base_url=f"{llm.url}/v1", **given)  # type: ignore[arg-type]


def events_of(body: str) -> list[dict[str, object]]:
    return [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line]


def seconds_of(content: bytes) -> float:
    samples, rate = decode_audio(content)
    return len(samples) / rate


@pytest.mark.parametrize("stream", [True, False])
def test_a_question_is_answered_with_speech(http: httpx.Client, stream: bool) -> None:
    answer = http.post("/chat", json={"text": QUESTION, "stream": stream, "voice_id": "high"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["x-ttsops-conversation"].startswith("conv_")
    assert answer.headers["x-ttsops-voice"] == "high"
    assert answer.headers["x-ttsops-synthetic"] == "true"
    assert ("content-length" in answer.headers) != stream
    spoken = http.post("/synthesize", json={"text": QUESTION, "voice_id": "high"})
    assert seconds_of(answer.content) == pytest.approx(seconds_of(spoken.content), abs=0.01)


async def test_an_answer_in_pieces_is_the_same_speech_as_its_whole_text() -> None:
    written = "Well, **here** it is: 42 [links](https://example.org). `Code`, 🙂 and an end. " * 3
    pieces = [written[start : start + 3] for start in range(0, len(written), 3)]
    async with (
        FakeLlm(Reply(pieces, token_seconds=0.001)) as llm,
        chat_site(chat_settings(model_at(llm))) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        # Every sample of the test signal depends on all characters up to it.
        answer = await http.post("/chat", json={"text": "Well?", "response_format": "pcm"})
        whole = await http.post("/synthesize", json={"text": written, "output_format": "pcm"})
    assert answer.content == whole.content


def test_events_bring_text_and_audio(http: httpx.Client) -> None:
    body = {"text": QUESTION, "stream_format": "sse", "response_format": "pcm"}
    events = events_of(http.post("/chat", json=body).text)
    assert "".join(str(one["text"]) for one in events if one["type"] == "text.delta") == QUESTION
    audio = b"".join(base64.b64decode(str(one["audio"])) for one in events if one["type"] == "audio.delta")
    done = events[-1]
    assert (done["type"], done["reason"], done["remembered"]) == ("turn.done", "complete", QUESTION)
    assert len(audio) / 2 / SAMPLE_RATE == pytest.approx(done["audio_seconds"], abs=0.001)
    stamps = [float(str(one["at_seconds"])) for one in events[:-1]]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("fmt", ["mp3", "opus", "aac", "flac"])
def test_every_format_is_sent(http: httpx.Client, fmt: str) -> None:
    answer = http.post("/chat", json={"text": QUESTION, "response_format": fmt})
    assert seconds_of(answer.content) > 1


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({}, 400, "invalid_value", "text"),
        ({"text": " "}, 400, "empty_text", "text"),
        ({"text": 5}, 400, "invalid_value", "text"),
        ({"text": "x", "voice_id": "nobody"}, 400, "unknown_voice", "voice_id"),
        ({"text": "x", "model": "nothing"}, 404, "unknown_engine", "model"),
        ({"text": "x", "conversation_id": "../etc"}, 400, "invalid_value", "conversation_id"),
        ({"text": "x", "response_format": "ogg"}, 400, "unsupported_format", "response_format"),
        ({"text": "x" * 30_000}, 400, "text_too_long", "text"),
        ({"text": "```\n```"}, 400, "no_audio", None),
    ],
)
def test_a_mistake_is_told(
    http: httpx.Client, body: dict[str, object], status: int, code: str, param: str | None
) -> None:
    answer = http.post("/chat", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)


def test_a_field_that_means_nothing_is_named(http: httpx.Client) -> None:
    assert http.post("/chat", json={"text": "x y", "volume": 3}).headers["x-ttsops-ignored"] == "volume"


def test_without_an_agent_there_is_no_such_path() -> None:
    with serving(tone_settings()) as site, client_of(site) as http:
        assert http.post("/chat", json={"text": "x"}).status_code == 404


async def test_a_conversation_goes_on() -> None:
    async with (
        FakeLlm(Reply(("I am ", "well.")), Reply(("Thank ", "you."))) as llm,
        chat_site(chat_settings(model_at(llm), instructions="Be kind.")) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        first = await http.post("/chat", json={"text": "How are you?"})
        name = first.headers["x-ttsops-conversation"]
        await http.post("/chat", json={"text": "Fine.", "conversation_id": name})
        await http.post("/chat", json={"text": "Another.", "conversation_id": "another"})
        body = {"text": "Again.", "conversation_id": name, "played_seconds": 0.5}
        await http.post("/chat", json=body)
    told = [[one["content"] for one in asked.body["messages"]] for asked in llm.asked]
    assert told == [
        ["Be kind.", "How are you?"],
        ["Be kind.", "How are you?", "I am well.", "Fine."],
        ["Be kind.", "Another."],
        ["Be kind.", "How are you?", "I am well.", "Fine.", "Thank", "Again."],
    ]


FAILURES = [
    (Reply(status=500), 502, "llm_failed"),
    (Reply(status=401), 502, "llm_refused"),
    (Reply(status=429, retry_after="3"), 503, "llm_unavailable"),
    (Reply(first_seconds=60), 504, "llm_timeout"),
    (Reply((), ending="nonsense"), 502, "llm_failed"),
]


@pytest.mark.parametrize("apology", ["spoken", "plain"])
async def test_a_model_that_fails_is_told_apart_and_apologised_for(apology: str) -> None:
    async with FakeLlm(*(reply for reply, _, _ in FAILURES)) as llm:
        model = model_at(llm, first_token_seconds=0.5, breaker_failures=100)
        settings = chat_settings(model, apology=apology, apology_text="Sorry.")
        async with (
            chat_site(settings) as site,
            httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
        ):
            sorry = await http.post("/synthesize", json={"text": "Sorry."})
            for _, status, code in FAILURES:
                before = metric("tts_agent_llm_errors_total", provider="local", code=code)
                answer = await http.post("/chat", json={"text": "Hello?"})
                assert answer.status_code == status
                assert ("retry-after" in answer.headers) == (status == 503)
                assert metric("tts_agent_llm_errors_total", provider="local", code=code) == before + 1
                if apology == "spoken":
                    assert answer.headers["x-ttsops-error"] == code
                    assert answer.headers["content-type"] == "audio/wav"
                    assert seconds_of(answer.content) == pytest.approx(seconds_of(sorry.content), abs=0.01)
                else:
                    assert answer.json()["error"]["code"] == code
            assert len(llm.asked[-1].body["messages"]) == 2, "what was never answered is not remembered"


async def test_an_answer_that_breaks_off_is_never_taken_for_complete() -> None:
    broken = Reply(("This much ", "was said. ", "Then"), token_seconds=0.2, ending="cut")
    async with (
        FakeLlm(broken) as llm,
        chat_site(chat_settings(model_at(llm), apology_text="Sorry.")) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        body = {"text": "Speak.", "response_format": "pcm"}
        received = b""

        async def read() -> None:
            nonlocal received
            async with http.stream("POST", "/chat", json=body) as answer:
                assert answer.status_code == 200
                async for data in answer.aiter_raw():
                    received += data

        with pytest.raises(httpx.RemoteProtocolError):
            await read()
        events = events_of((await http.post("/chat", json=body | {"stream_format": "sse"})).text)
    assert len(received) / 2 / SAMPLE_RATE > 1.5, "what was said, and the apology"
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["code"] == "llm_unavailable"  # type: ignore[index]
    assert [one["text"] for one in events if one.get("is_apology")] == ["Sorry."]


async def test_hanging_up_ends_the_model_and_the_speech() -> None:
    engine = tone_settings(rtf=0.5, takes_text_in_pieces=True)
    async with (
        FakeLlm(Reply(("word ",) * 2000, token_seconds=0.01)) as llm,
        chat_site(chat_settings(model_at(llm), engine=engine)) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        async with http.stream("POST", "/chat", json={"text": "Speak.", "conversation_id": "c"}) as answer:
            async for _ in answer.aiter_raw():
                break
            assert site.runtime.n_live == 1
        await until(lambda: llm.asked[0].hung_up_at, "the model is left")
        await until(lambda: site.runtime.n_live == 0, "the engine is free")
        assert llm.asked[0].n_sent < 2000
        assert site.agent is not None
        conversation = await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(site.agent.conversations.find("", "c"), site.loop)
        )
        (exchange,) = conversation.exchanges
        assert len(exchange.answer.split()) < llm.asked[0].n_sent


async def test_another_question_interrupts_the_one_being_answered() -> None:
    engine = tone_settings(rtf=0.5, takes_text_in_pieces=True)
    async with (
        FakeLlm(Reply(("word ",) * 2000, token_seconds=0.01), Reply(("Yes.",))) as llm,
        chat_site(chat_settings(model_at(llm), engine=engine)) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        first = asyncio.create_task(http.post("/chat", json=SPEAK))
        await until(lambda: llm.asked and llm.asked[0].n_sent > 20, "it speaks")
        second = await http.post("/chat", json={"text": "Stop!", "conversation_id": "c"})
        assert second.status_code == 200
        assert (await first).status_code == 200
        assert llm.asked[0].hung_up_at
    told = [one["content"] for one in llm.asked[1].body["messages"]][1:]
    assert told[0].startswith("Speak.")
    assert told[-1].endswith("Stop!")


async def test_a_question_that_another_one_overtakes_before_its_answer_is_told_so() -> None:
    async with (
        FakeLlm(Reply(("Late.",), first_seconds=3.0), Reply(("Yes.",))) as llm,
        chat_site(chat_settings(model_at(llm))) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        first = asyncio.create_task(http.post("/chat", json=SPEAK))
        await until(lambda: len(llm.asked) == 1, "it is asked")
        assert (await http.post("/chat", json={"text": "Stop!", "conversation_id": "c"})).status_code == 200
        overtaken = await first
    assert (overtaken.status_code, overtaken.json()["error"]["code"]) == (503, "cancelled")


async def test_of_a_file_that_was_never_sent_nothing_is_remembered() -> None:
    engine = tone_settings(rtf=0.5, takes_text_in_pieces=True)
    async with (
        FakeLlm(Reply(("word ",) * 100, token_seconds=0.02), Reply(("Yes.",))) as llm,
        chat_site(chat_settings(model_at(llm), engine=engine)) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/chat", json=SPEAK | {"stream": False}, timeout=1.5)
        await until(lambda: llm.asked[0].hung_up_at, "the model is left")
        assert (await http.post("/chat", json={"text": "Again?", "conversation_id": "c"})).status_code == 200
    roles = [one["role"] for one in llm.asked[1].body["messages"]]
    assert "assistant" not in roles, "it heard nothing"


async def test_a_failed_question_takes_no_other_of_the_same_words_with_it() -> None:
    async with (
        FakeLlm(Reply(("Ab.",)), Reply(("Cd.",)), Reply(status=500), Reply(("Ef.",))) as llm,
        chat_site(chat_settings(model_at(llm))) as site,
        httpx.AsyncClient(base_url=site.url, timeout=20, trust_env=False) as http,
    ):
        for text in ("hi", "x", "hi", "last"):
            await http.post("/chat", json={"text": text, "conversation_id": "c", "played_seconds": 0})
    told = [one["content"] for one in llm.asked[-1].body["messages"] if one["role"] == "user"]
    assert told[0].startswith("hi")


def test_keys_keep_conversations_apart(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    keys = [store.add(name) for name in ("anna", "bert")]
    settings = chat_settings(server={"keys_file": str(tmp_path / "keys.json")})
    with serving(settings) as site, client_of(site) as http:
        assert http.post("/chat", json={"text": "x"}).status_code == 401
        for key in keys:
            headers = {"authorization": f"Bearer {key}"}
            body = {"text": f"I am {key[-4:]}.", "conversation_id": "same"}
            assert http.post("/chat", json=body, headers=headers).status_code == 200
        assert site.agent is not None
        assert len(site.agent.conversations) == 2


def test_neither_question_nor_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(chat_settings()) as site, client_of(site) as http:
        http.post("/chat", json={"text": "Elephants dream."})
    assert "turn" in caplog.text
    assert "lephant" not in caplog.text
