"""Both official packages against a server that speaks their protocol, well and badly."""

import asyncio
import contextlib
import logging
import time

import pytest

from agent.conftest import QUESTION, llm_settings, provided
from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.agent.llm import Llm
from ttsops.agent.providers import Message
from ttsops.settings import LlmSettings
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server


async def ask(settings: LlmSettings) -> list[str]:
    async with provided(settings) as provider:
        return [piece async for piece in Llm(provider, settings).answer("Be brief.", QUESTION)]


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


async def test_nothing_in_time_is_a_timeout(provider_name: str) -> None:
    async with FakeLlm(Reply(first_seconds=60)) as llm:
        with pytest.raises(LlmTimeout):
            await ask(llm_settings(provider_name, llm.url, first_token_seconds=0.3))


async def test_silence_within_an_answer_is_a_timeout(provider_name: str) -> None:
    async with FakeLlm(Reply(ending="silence")) as llm:
        with pytest.raises(LlmTimeout, match="fell silent"):
            await ask(llm_settings(provider_name, llm.url, token_seconds=0.3))


async def test_nobody_there_is_unavailable(provider_name: str) -> None:
    async with FakeLlm() as llm:
        url = llm.url
    with pytest.raises(LlmUnavailable, match="cannot be reached"):
        await ask(llm_settings(provider_name, url))


async def test_a_failed_request_is_tried_again(provider_name: str) -> None:
    async with FakeLlm(Reply(status=500), Reply(("Well.",))) as llm:
        assert await ask(llm_settings(provider_name, llm.url, max_retries=2)) == ["Well."]
        assert len(llm.asked) == 2


async def test_a_wait_longer_than_anybody_s_patience_is_told_at_once(provider_name: str) -> None:
    async with FakeLlm(Reply(status=429, retry_after="60")) as llm:
        with pytest.raises(LlmUnavailable) as caught:
            await ask(llm_settings(provider_name, llm.url, max_retries=2, first_token_seconds=20.0))
        assert len(llm.asked) == 1
    assert caught.value.retry_after == 60.0


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


async def test_what_keeps_failing_is_left_alone_and_asked_again_later(provider_name: str) -> None:
    now = 0.0
    async with FakeLlm(*[Reply(status=500)] * 2, Reply(("Well.",))) as llm:
        settings = llm_settings(provider_name, llm.url, breaker_failures=2, breaker_seconds=10.0)
        async with provided(settings) as provider:
            model = Llm(provider, settings, clock=lambda: now)

            async def answer() -> list[str]:
                return [piece async for piece in model.answer("", QUESTION)]

            for _ in range(2):
                with pytest.raises(LlmError, match="500"):
                    await answer()
            with pytest.raises(LlmUnavailable, match="left alone") as caught:
                await answer()
            assert caught.value.retry_after == 10.0
            assert model.is_left_alone
            assert len(llm.asked) == 2, "it was asked while it was left alone"
            now = 11.0
            assert await answer() == ["Well."]
            assert not model.is_left_alone


async def test_a_refused_key_does_not_open_the_breaker(provider_name: str) -> None:
    async with FakeLlm(Reply(status=401)) as llm:
        settings = llm_settings(provider_name, llm.url, breaker_failures=1)
        async with provided(settings) as provider:
            model = Llm(provider, settings)
            for _ in range(2):
                with pytest.raises(LlmRefused, match="401"):
                    [piece async for piece in model.answer("", QUESTION)]


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


async def test_a_pause_within_an_answer_has_its_own_limit(provider_name: str) -> None:
    async with FakeLlm(Reply(("One ", "two."), token_seconds=2.0)) as llm:
        settings = llm_settings(provider_name, llm.url, token_seconds=0.2)
        with pytest.raises(LlmTimeout, match=r"fell silent .* 0\.2 seconds"):
            await ask(settings)


async def test_the_limit_of_a_whole_answer_counts_the_provider_s_time_alone(
    provider_name: str,
) -> None:
    async with FakeLlm(Reply(("word ",) * 40, token_seconds=0.05)) as llm:
        settings = llm_settings(provider_name, llm.url, answer_seconds=0.6)
        with pytest.raises(LlmTimeout, match=r"took longer than 0\.6 seconds"):
            await ask(settings)
    async with FakeLlm(Reply(("word ",) * 4)) as llm:
        settings = llm_settings(provider_name, llm.url, answer_seconds=0.6)
        async with provided(settings) as provider:
            n_heard = 0
            async for _ in Llm(provider, settings).answer("", QUESTION):
                n_heard += 1
                await asyncio.sleep(0.3)  # a listener who pauses
            assert n_heard == 4


@pytest.mark.parametrize("piece", [5, ["x"], {"type": "text"}, True, "a\ud800b"])
async def test_a_piece_that_is_no_text_is_an_error_of_the_model(provider_name: str, piece: object) -> None:
    async with FakeLlm(Reply((piece,))) as llm:  # type: ignore[arg-type]
        with pytest.raises(LlmError, match="not its protocol"):
            await ask(llm_settings(provider_name, llm.url))


@pytest.mark.parametrize("ending", ["cut", "early", "error", "nonsense"])
async def test_what_breaks_off_before_its_first_word_is_tried_again(provider_name: str, ending: str) -> None:
    broken = Reply((), ending=ending)  # type: ignore[arg-type]
    async with FakeLlm(broken, broken, Reply(("Well ", "then."))) as llm:
        assert await ask(llm_settings(provider_name, llm.url, max_retries=2)) == ["Well ", "then."]
        assert len(llm.asked) == 3
    async with FakeLlm(broken, broken, Reply(("Well ", "then."))) as llm:
        with pytest.raises(LlmError):
            await ask(llm_settings(provider_name, llm.url, max_retries=1))
        assert len(llm.asked) == 2


async def test_what_breaks_off_after_a_word_is_not(provider_name: str) -> None:
    async with FakeLlm(Reply(("One ",), ending="cut"), Reply(("Two.",))) as llm:
        with pytest.raises(LlmError):
            await ask(llm_settings(provider_name, llm.url, max_retries=2))
        assert len(llm.asked) == 1


async def test_a_wait_of_centuries_is_an_hour(provider_name: str) -> None:
    async with FakeLlm(Reply(status=429, retry_after="9" * 400)) as llm:
        with pytest.raises(LlmUnavailable) as caught:
            await ask(llm_settings(provider_name, llm.url))
    assert caught.value.retry_after == 3600


async def test_secrets_in_an_address_are_not_logged(
    provider_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeLlm() as llm:
        with caplog.at_level(logging.INFO):
            await ask(llm_settings(provider_name, llm.url.replace("//", "//usr:hunter2@")))
    assert "hunter2" not in caplog.text


async def test_a_refusal_closes_a_breaker_that_tries_again() -> None:
    replies = (Reply(status=500), Reply(status=401), Reply(("Well.",)))
    async with FakeLlm(*replies) as llm:
        settings = llm_settings("local", llm.url, breaker_failures=1, breaker_seconds=0.1)
        async with provided(settings) as provider:
            model = Llm(provider, settings)
            for error in (LlmError, LlmRefused):
                with pytest.raises(error):
                    [_ async for _ in model.answer("", QUESTION)]
                await asyncio.sleep(0.15)
            assert not model.is_left_alone
            assert [one async for one in model.answer("", QUESTION)] == ["Well."]
