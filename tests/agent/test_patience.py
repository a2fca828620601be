"""How long a language model is waited for, how often it is asked again, and when it is left alone."""

import asyncio
import time

import pytest

from agent.conftest import QUESTION, ask, llm_settings, provided
from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.agent.llm import Llm, _pause
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttsops.agent.llm.FIRST_PAUSE_SECONDS", 0.02)


async def test_nothing_in_time_is_a_timeout(provider_name: str) -> None:
    async with FakeLlm(Reply(first_seconds=60)) as llm:
        with pytest.raises(LlmTimeout):
            await ask(llm_settings(provider_name, llm.url, first_token_seconds=0.3))


async def test_silence_within_an_answer_is_a_timeout(provider_name: str) -> None:
    async with FakeLlm(Reply(ending="silence")) as llm:
        with pytest.raises(LlmTimeout, match="fell silent"):
            await ask(llm_settings(provider_name, llm.url, token_seconds=0.3))


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


async def test_pieces_without_text_are_no_sign_of_life(provider_name: str) -> None:
    async with FakeLlm(Reply(("",) * 100, token_seconds=0.05)) as llm:
        with pytest.raises(LlmTimeout, match=r"no answer within 0\.4 seconds"):
            await ask(llm_settings(provider_name, llm.url, first_token_seconds=0.4))


async def test_a_pause_within_an_answer_may_be_longer_than_the_wait_for_it(provider_name: str) -> None:
    async with FakeLlm(Reply(("One ", "two."), token_seconds=1.0)) as llm:
        assert await ask(llm_settings(provider_name, llm.url, first_token_seconds=0.5)) == ["One ", "two."]


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


FAILURES = [
    Reply(status=500),
    Reply(status=529),
    *(Reply((), ending=one) for one in ("cut", "early", "error")),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: f"{one.status} {one.ending}")
async def test_no_failure_is_tried_more_often_than_allowed(provider_name: str, failure: Reply) -> None:
    async with FakeLlm(failure) as llm:
        with pytest.raises(LlmError):
            await ask(llm_settings(provider_name, llm.url, max_retries=2))
        assert len(llm.asked) == 3


async def test_all_tries_share_one_patience(provider_name: str) -> None:
    async with FakeLlm(Reply((), first_seconds=0.8, ending="cut"), Reply(first_seconds=60)) as llm:
        began_at = time.perf_counter()
        with pytest.raises(LlmTimeout, match="no answer within 1 seconds"):
            await ask(llm_settings(provider_name, llm.url, max_retries=10, first_token_seconds=1.0))
        assert time.perf_counter() - began_at < 1.5
        assert len(llm.asked) == 2


async def test_a_wait_that_is_asked_for_is_kept(provider_name: str) -> None:
    async with FakeLlm(Reply(status=429, retry_after="0.6"), Reply(("Well.",))) as llm:
        began_at = time.perf_counter()
        assert await ask(llm_settings(provider_name, llm.url, max_retries=1)) == ["Well."]
    assert time.perf_counter() - began_at >= 0.6


async def test_a_provider_that_says_it_is_no_use_is_believed(provider_name: str) -> None:
    async with FakeLlm(Reply(status=429, headers={"x-should-retry": "false"})) as llm:
        with pytest.raises(LlmUnavailable):
            await ask(llm_settings(provider_name, llm.url, max_retries=2))
        assert len(llm.asked) == 1


def test_pauses_are_drawn_by_lot_and_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttsops.agent.llm.FIRST_PAUSE_SECONDS", 0.5)
    for n_tries, most in ((1, 0.5), (2, 1.0), (3, 2.0), (10, 8.0)):
        pauses = [_pause(n_tries, None) for _ in range(200)]
        assert 0 <= min(pauses) < most / 4
        assert most * 3 / 4 < max(pauses) <= most
    assert all(7 <= _pause(1, 7.0) <= 7.5 for _ in range(50))


async def test_what_breaks_off_after_a_word_is_not(provider_name: str) -> None:
    async with FakeLlm(Reply(("One ",), ending="cut"), Reply(("Two.",))) as llm:
        with pytest.raises(LlmError):
            await ask(llm_settings(provider_name, llm.url, max_retries=2))
        assert len(llm.asked) == 1


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("retry-after", "9" * 400, 3600),
        ("retry-after", "9" * 20, 3600),
        ("retry-after", "inf", 3600),
        ("retry-after", "nan", 0),
        ("retry-after", "-5", 0),
        ("retry-after", "2.5", 2.5),
        ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("retry-after", "Wed, 21 Oct 2999 07:28:00 GMT", 3600),
        ("retry-after", "soon", None),
        ("retry-after-ms", "1500", 1.5),
    ],
)
async def test_a_wait_is_read_however_it_is_written_and_is_an_hour_at_most(
    provider_name: str, name: str, value: str, seconds: float | None
) -> None:
    async with FakeLlm(Reply(status=429, headers={name: value})) as llm:
        with pytest.raises(LlmUnavailable) as caught:
            await ask(llm_settings(provider_name, llm.url))
    assert caught.value.retry_after == seconds


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
