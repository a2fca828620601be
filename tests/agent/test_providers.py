"""Both official packages against a server that speaks their protocol, well and badly."""

import asyncio
import contextlib
import logging
import time
from base64 import b64encode

import pytest

from agent.conftest import QUESTION, ask, llm_settings, provided
from ttsops.agent.conversation import Conversation, Exchange
from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.agent.llm import Llm
from ttsops.agent.providers import Message
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server


async def test_the_answer_comes_token_by_token(provider_name: str) -> None:
    async with FakeLlm(Reply(("One ", "two ", "three."))) as llm:
        assert await ask(llm_settings(provider_name, llm.url)) == ["One ", "two ", "three."]
        (asked,) = llm.asked
    assert asked.path == ("/v1/messages" if provider_name == "anthropic" else "/v1/chat/completions")
    assert asked.body["model"] == "fake"
    assert asked.body["stream"] is True
    user = {"role": "user", "content": "How are you?"}
    assert asked.headers["authorization"] == "Bearer sk-secret-1234"
    if provider_name == "anthropic":
        assert asked.body["system"] == "Be brief."
        assert asked.body["messages"] == [user]
    else:
        assert asked.body["messages"] == [{"role": "system", "content": "Be brief."}, user]


async def test_the_conversation_is_told(provider_name: str) -> None:
    told = [Message("user", "One."), Message("assistant", "Two."), Message("user", "Three.")]
    async with FakeLlm() as llm, provided(llm_settings(provider_name, llm.url)) as provider:
        async with contextlib.aclosing(provider.stream("", told)) as pieces:
            assert [piece async for piece in pieces] == ["Hello ", "there."]
        messages = llm.asked[0].body["messages"]
    assert [(one["role"], one["content"]) for one in messages] == [(one.role, one.text) for one in told]


async def test_sides_take_turns_whatever_was_not_answered(provider_name: str) -> None:
    """Many models' templates refuse two questions in a row, or a message of white space."""
    exchanges = [Exchange("One."), Exchange("Two.", " "), Exchange("Three.", "Well."), Exchange("Four.")]
    told = [*Conversation("c", exchanges).messages(), Message("user", "Five.")]
    async with FakeLlm() as llm, provided(llm_settings(provider_name, llm.url)) as provider:
        async with contextlib.aclosing(provider.stream("", told)) as pieces:
            [_ async for _ in pieces]
        messages = llm.asked[0].body["messages"]
    assert [(one["role"], one["content"]) for one in messages] == [
        ("user", "One.\n\nTwo.\n\nThree."),
        ("assistant", "Well."),
        ("user", "Four.\n\nFive."),
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, LlmRefused),
        (401, LlmRefused),
        (404, LlmRefused),
        (429, LlmUnavailable),
        (503, LlmUnavailable),
        (529, LlmUnavailable),
        (500, LlmError),
        (504, LlmTimeout),
    ],
)
async def test_a_status_is_told_apart(provider_name: str, status: int, error: type[LlmError]) -> None:
    async with FakeLlm(Reply(status=status, retry_after="7")) as llm:
        with pytest.raises(LlmError) as caught:
            await ask(llm_settings(provider_name, llm.url))
    assert type(caught.value) is error
    assert str(status) in caught.value.message
    assert caught.value.retry_after == (7.0 if error is LlmUnavailable else None)


@pytest.mark.parametrize("ending", ["cut", "early", "nonsense", "error"])
async def test_a_broken_answer_is_an_error_and_what_came_before_was_given(
    provider_name: str, ending: str
) -> None:
    heard: list[str] = []

    async def hear(model: Llm) -> None:
        async for piece in model.answer("", QUESTION):
            heard.append(piece)

    async with FakeLlm(Reply(("One ", "two "), ending=ending)) as llm:  # type: ignore[arg-type]
        settings = llm_settings(provider_name, llm.url)
        async with provided(settings) as provider:
            with pytest.raises(LlmError):
                await hear(Llm(provider, settings))
    assert heard == ["One ", "two "]


async def test_an_empty_answer_is_an_error(provider_name: str) -> None:
    async with FakeLlm(Reply(())) as llm:
        with pytest.raises(LlmError, match="empty answer"):
            await ask(llm_settings(provider_name, llm.url))


async def test_nobody_there_is_unavailable(provider_name: str) -> None:
    async with FakeLlm() as llm:
        url = llm.url
    with pytest.raises(LlmUnavailable, match="cannot be reached"):
        await ask(llm_settings(provider_name, url))


async def test_leaving_an_answer_hangs_up(provider_name: str) -> None:
    async with FakeLlm(Reply(("word ",) * 1000, token_seconds=0.01)) as llm:
        settings = llm_settings(provider_name, llm.url)
        async with provided(settings) as provider:
            async with contextlib.aclosing(Llm(provider, settings).answer("", QUESTION)) as pieces:
                async for _ in pieces:
                    break
            left_at = time.perf_counter()
            while llm.asked[0].hung_up_at is None and time.perf_counter() < left_at + 5:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert llm.asked[0].hung_up_at is not None
        assert llm.asked[0].n_sent < 1000


async def test_neither_key_nor_question_nor_answer_is_logged(
    provider_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeLlm(Reply(("Elephants ", "dream.")), Reply(("Elephants ",), ending="nonsense")) as llm:
        await ask(llm_settings(provider_name, llm.url))
        with pytest.raises(LlmError) as caught:
            await ask(llm_settings(provider_name, llm.url))
    told = caplog.text + caught.value.message + str(caught.value.hint)
    assert "connect_tcp" in caplog.text, "nothing was logged at all: this test sees nothing"
    for secret in ("sk-secret-1234", "How are you", "Elephants", "Be brief"):
        assert secret not in told


@pytest.mark.parametrize("piece", [5, ["x"], {"type": "text"}, True, "a\ud800b"])
async def test_a_piece_that_is_no_text_is_an_error_of_the_model(provider_name: str, piece: object) -> None:
    async with FakeLlm(Reply((piece,))) as llm:  # type: ignore[arg-type]
        with pytest.raises(LlmError, match="not its protocol"):
            await ask(llm_settings(provider_name, llm.url))


async def test_a_password_in_the_address_is_sent_and_not_logged(
    provider_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeLlm(Reply(), Reply(status=500), Reply(), Reply(ending="cut")) as llm:
        settings = llm_settings(provider_name, llm.url.replace("//", "//usr:hunter2@"), max_retries=1)
        for _ in range(2):
            await ask(settings)
        with pytest.raises(LlmError) as caught:
            await ask(settings)
        assert llm.asked[0].headers["authorization"] == f"Basic {b64encode(b'usr:hunter2').decode()}"
        assert "connect_tcp" in caplog.text, "nothing was logged at all: this test sees nothing"
        told = caplog.text + caught.value.message + str(caught.value.hint)
        assert "hunter2" not in told
