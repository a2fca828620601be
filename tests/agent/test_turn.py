"""A turn in its own loop: what an interruption does at once, and what the books say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ttsops.agent import Agent, AudioDelta, Event, Manner, TextDelta, Turn
from ttsops.agent.local import LocalSpeech
from ttsops.errors import Draining, UnknownVoice
from ttsops.observe import metrics
from ttsops.runtime import Runtime
from ttsops.settings import AgentSettings, EngineSettings, LlmSettings, Settings
from ttsops.speech import OptionValue
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server

LONG = tuple(f"word{number} " for number in range(500))


def counted(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def agent_with(
    llm: FakeLlm | None = None, *, agent: AgentSettings | None = None, **options: OptionValue
) -> AsyncIterator[tuple[Agent, Runtime]]:
    model = LlmSettings(provider="echo")
    if llm is not None:
        model = LlmSettings(provider="local", model="fake", base_url=f"{llm.url}/v1", max_retries=0)
    settings = Settings(
        engine="tone",
        engines={"tone": EngineSettings(options=options)},
        llm=model,
        agent=agent or AgentSettings(),
    )
    async with Runtime(settings, in_process=True) as runtime:
        speaker = Agent(settings, LocalSpeech(runtime))
        try:
            yield speaker, runtime
        finally:
            await speaker.aclose()


class Listener:
    """Takes what a turn gives."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.heard = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, AudioDelta):
            self.heard.set()

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))


async def test_an_interruption_reaches_engine_and_model_in_the_same_moment() -> None:
    async with (
        FakeLlm(Reply(LONG, token_seconds=0.1)) as llm,
        agent_with(llm, rtf=0.5) as (agent, runtime),
    ):
        turn = await agent.begin("Speak.", Manner())
        listener = Listener()
        running = asyncio.create_task(turn.run(listener))
        await listener.heard.wait()
        before = counted("tts_cancels_total", engine="tone", reason="barge_in")
        n_sent = llm.asked[0].n_sent
        turn.interrupt("barge_in")
        # Nothing was awaited: the command is on its way to the engine, which looks at commands between steps.
        assert counted("tts_cancels_total", engine="tone", reason="barge_in") == before + 1
        await running
        assert runtime.n_live == 0, "run has ended, and the place is free"
        while llm.asked[0].hung_up_at is None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert llm.asked[0].n_sent <= n_sent + 1
        assert turn.interrupted == "barge_in"
        n_events = len(listener.events)
        await asyncio.sleep(0.2)
        assert len(listener.events) == n_events, "silence"


async def test_a_listener_who_breaks_off_ends_the_turn() -> None:
    async with FakeLlm(Reply(LONG, token_seconds=0.01)) as llm, agent_with(llm, rtf=0.5) as (agent, runtime):
        turn = await agent.begin("Speak.", Manner())

        async def gone(event: Event) -> None:
            if isinstance(event, AudioDelta):
                raise ConnectionResetError("gone")

        with pytest.raises(ConnectionResetError):
            await turn.run(gone)
        assert turn.interrupted == "hangup"
        assert turn.remembered == ""
        assert runtime.n_live == 0


async def test_text_is_not_held_up_by_speech_nor_speech_by_text() -> None:
    async with agent_with(rtf=0.5) as (agent, _):
        turn = await agent.begin("One two three. " * 3, Manner())
        listener = Listener()
        await turn.run(listener)
        first = next(n for n, event in enumerate(listener.events) if isinstance(event, AudioDelta))
        last = max(n for n, event in enumerate(listener.events) if isinstance(event, TextDelta))
        assert first > 0
        assert last < len(listener.events) - 1
        assert listener.text == "One two three. " * 3
        assert turn.times.first_token is not None
        assert turn.times.first_audio is not None
        assert turn.times.end is not None
        assert turn.times.first_token < turn.times.first_audio < turn.times.end


async def test_a_text_longer_than_an_utterance_may_be_goes_on_in_another() -> None:
    async with agent_with() as (agent, runtime):
        limit = runtime.service().card.max_text_chars
        question = "Many words. " * (limit // 12 + 50)
        turn = await agent.begin(question, Manner())
        listener = Listener()
        await turn.run(listener)
        assert turn.error is None
        heard = sum(len(event.samples) for event in listener.events if isinstance(event, AudioDelta))
        assert heard / 24_000 == pytest.approx(len(question.rstrip()) * 0.06, rel=0.01)


async def test_the_books_tell_each_stage_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    stages = ("llm_first_token", "speech_delay", "first_audio", "turn_duration")
    names = [f"tts_agent_{stage}_seconds_count" for stage in stages]
    before = [counted(name, provider="echo") for name in names]
    turns = counted("tts_agent_turns_total", provider="echo", outcome="ok")
    async with agent_with() as (agent, _):
        turn = await agent.begin("Elephants dream.", Manner(), request_id="req_7")
        await turn.run(Listener())
        assert counted("tts_agent_conversations") == 1
    assert [counted(name, provider="echo") for name in names] == [one + 1 for one in before]
    assert counted("tts_agent_turns_total", provider="echo", outcome="ok") == turns + 1
    assert "req_7" in caplog.text
    assert "lephant" not in caplog.text


async def test_a_manner_that_none_can_follow_costs_no_question() -> None:
    async with FakeLlm() as llm, agent_with(llm) as (agent, _):
        with pytest.raises(UnknownVoice):
            await agent.begin("Well?", Manner(voice="nobody"))
        agent.is_draining = True
        with pytest.raises(Draining):
            await agent.begin("Well?", Manner())
        assert llm.asked == []


@pytest.mark.parametrize("in_pieces", [True, False])
async def test_signs_alone_are_passed_over(in_pieces: bool) -> None:
    async with agent_with(takes_text_in_pieces=in_pieces) as (agent, _):
        turn = await agent.begin("--- First. --- *** Second, and that is it. ---", Manner())
        await turn.run(Listener())
        assert turn.error is None
        assert turn.ledger.seconds > 1


async def test_questions_at_once_in_one_conversation_take_turns() -> None:
    async with FakeLlm(Reply(LONG, token_seconds=0.01)) as llm, agent_with(llm, rtf=0.5) as (agent, runtime):

        async def ask(number: int) -> Turn:
            turn = await agent.begin(f"Question {number}.", Manner(), conversation_id="one")
            await turn.run(Listener())
            return turn

        asking = [asyncio.create_task(ask(number)) for number in range(4)]
        async with asyncio.timeout(20):
            while sum(task.done() for task in asking) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert runtime.n_live <= 1
        agent_turn = (await agent.conversations.find("", "one")).turn
        assert agent_turn is not None
        agent_turn.interrupt("client")
        turns = await asyncio.gather(*asking)
        assert [turn.interrupted for turn in turns] == ["barge_in"] * 3 + ["client"]
