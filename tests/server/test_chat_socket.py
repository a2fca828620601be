"""`/chat/stream`: text and audio interleaved and stamped, barge-in, and what is remembered."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
import websockets
from chat_talker import chat_settings, chat_site, chatting, until
from server_site import Site, serving, tone_settings
from test_chat_http import model_at

from ttsops.speech import SAMPLE_RATE
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server

LIVE = tone_settings(rtf=0.5, takes_text_in_pieces=True)
SLOW_TALK = Reply(tuple(f"word{number} " for number in range(2000)), token_seconds=0.01)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(chat_settings()) as site:
        yield site


async def test_a_question_is_answered_in_text_and_audio(site: Site) -> None:
    async with chatting(site) as talker:
        await talker.say("session.config", voice_id="high", conversation_id="mine")
        ready = (await talker.hear("session.ready")).events[-1]
        assert (ready["conversation_id"], ready["provider"], ready["format"]) == ("mine", "echo", "pcm")
        for number in range(2):
            await talker.say("input.text", text="Good morning to you.")
            heard = await talker.hear()
            done = heard.only("turn.done")
            assert heard.text == done["remembered"] == "Good morning to you."
            assert (done["turn"], done["reason"], done["error"]) == (number, "complete", None)
            assert len(heard.audio) / 2 / SAMPLE_RATE == pytest.approx(done["audio_seconds"], abs=0.001)
            assert heard.only("audio.start")["voice"] == "high"
            assert 0 < done["first_token_seconds"] < done["first_audio_seconds"]


async def test_times_grow_and_pieces_of_audio_follow_without_a_gap(site: Site) -> None:
    async with chatting(site) as talker:
        await talker.say("input.text", text="One two three. Four five six.")
        heard = await talker.hear()
    stamps = [event["at_seconds"] for event in heard.events if "at_seconds" in event]
    assert stamps == sorted(stamps)
    ends = 0.0
    for event in heard.all("audio.delta"):
        assert event["start_seconds"] == pytest.approx(ends, abs=1e-5)
        ends += event["duration_seconds"]
        assert event["n_bytes"] == round(event["duration_seconds"] * SAMPLE_RATE) * 2
    words = [word for event in heard.all("audio.delta") for word in event["words"]]
    assert [word["text"] for word in words] == ["One", "two", "three.", "Four", "five", "six."]
    assert [word["start_seconds"] for word in words] == sorted(word["start_seconds"] for word in words)


@pytest.mark.parametrize("fmt", ["wav", "mp3", "opus"])
async def test_other_formats(site: Site, fmt: str) -> None:
    async with chatting(site) as talker:
        await talker.say("session.config", response_format=fmt)
        await talker.say("input.text", text="Good morning to you.")
        heard = await talker.hear()
    assert heard.only("audio.start")["format"] == fmt
    assert heard.only("turn.done")["reason"] == "complete"
    assert bytes(heard.audio[:4]) in (b"RIFF", b"OggS") or fmt == "mp3"


@pytest.mark.parametrize("in_pieces", [True, False])
async def test_speech_begins_with_the_first_speakable_piece(in_pieces: bool) -> None:
    engine = tone_settings(takes_text_in_pieces=in_pieces)
    reply = Reply(("This is the beginning, ", "and ", "this ", "is ", "the ", "end."), token_seconds=0.3)
    async with (
        FakeLlm(reply) as llm,
        chat_site(chat_settings(model_at(llm), engine=engine)) as site,
        chatting(site) as talker,
    ):
        await talker.say("input.text", text="Speak.")
        heard = await talker.hear("audio")
        assert llm.asked[0].n_sent < 4, "it waited for the end of the answer"
        rest = await talker.hear()
        assert heard.text + rest.text == "".join(reply.tokens)
    assert rest.all("text.delta"), "text and audio come together"


async def test_an_interruption_ends_model_and_speech_and_only_what_was_heard_is_remembered() -> None:
    async with (
        FakeLlm(SLOW_TALK, Reply(("Yes.",))) as llm,
        chat_site(chat_settings(model_at(llm), engine=LIVE)) as site,
        chatting(site) as talker,
    ):
        await talker.say("input.text", text="Speak.")
        await talker.hear("audio", n_audio=12)
        assert site.runtime.n_live == 1
        interrupted_at = time.perf_counter()
        await talker.say("interrupt", played_seconds=1.0)
        heard = await talker.hear()
        done = heard.only("turn.done")
        await until(lambda: llm.asked[0].hung_up_at, "the model is left")
        await until(lambda: site.runtime.n_live == 0, "the engine is free")
        assert llm.asked[0].hung_up_at - interrupted_at < 2
        assert done["reason"] == "interrupted"
        n_heard = len(done["remembered"].split())
        # The test signal says a character in 60 ms: "word0 word1 " is over after 0.72 s.
        assert done["remembered"] == "word0 word1"
        assert done["audio_seconds"] < 60
        await talker.say("input.text", text="Stop!")
        assert (await talker.hear()).text == "Yes."
    assert n_heard == 2
    told = [one["content"] for one in llm.asked[1].body["messages"]][1:]
    assert told == ["Speak.", "word0 word1", "Stop!"]


async def test_a_new_question_interrupts() -> None:
    async with (
        FakeLlm(SLOW_TALK, Reply(("Yes.",))) as llm,
        chat_site(chat_settings(model_at(llm), engine=LIVE)) as site,
        chatting(site) as talker,
    ):
        await talker.say("input.text", text="Speak.")
        await talker.hear("audio")
        await talker.say("input.text", text="Stop!")
        assert (await talker.hear()).only("turn.done")["reason"] == "interrupted"
        assert (await talker.hear()).text == "Yes."


async def test_an_interruption_before_the_model_has_spoken() -> None:
    async with (
        FakeLlm(Reply(first_seconds=60)) as llm,
        chat_site(chat_settings(model_at(llm, first_token_seconds=60))) as site,
        chatting(site) as talker,
    ):
        await talker.say("input.text", text="Speak.")
        await until(lambda: llm.asked, "the model is asked")
        await talker.say("interrupt")
        done = (await talker.hear()).only("turn.done")
        assert (done["reason"], done["remembered"], done["audio_seconds"]) == ("interrupted", "", 0.0)
        await until(lambda: llm.asked[0].hung_up_at, "the model is left")


async def test_what_was_sent_and_not_yet_played_is_cut_too(site: Site) -> None:
    async with chatting(site) as talker:
        await talker.say("session.config", conversation_id="cut")
        await talker.say("input.text", text="one two three four five six seven eight nine ten")
        assert (await talker.hear()).only("turn.done")["remembered"].endswith("ten")
        await talker.say("interrupt", played_seconds=1.0)
        cut = (await talker.hear("turn.cut")).only("turn.cut")
        assert cut["remembered"] == "one two three"
    assert site.agent is not None
    assert (await remembered(site, "cut")) == ["one two three"]


async def test_hanging_up_ends_model_and_speech_and_what_was_not_heard_is_forgotten() -> None:
    async with FakeLlm(SLOW_TALK) as llm, chat_site(chat_settings(model_at(llm), engine=LIVE)) as site:
        async with chatting(site) as talker:
            await talker.say("session.config", conversation_id="gone")
            await talker.say("input.text", text="Speak.")
            await talker.hear("audio", n_audio=12)
        await until(lambda: llm.asked[0].hung_up_at, "the model is left")
        await until(lambda: site.runtime.n_live == 0, "the engine is free")
        (answer,) = await remembered(site, "gone")
    assert SLOW_TALK.tokens
    assert "".join(SLOW_TALK.tokens).startswith(answer)
    assert len(answer.split()) < llm.asked[0].n_sent


async def remembered(site: Site, conversation_id: str) -> list[str]:
    assert site.agent is not None
    finding = asyncio.run_coroutine_threadsafe(site.agent.conversations.find("", conversation_id), site.loop)
    return [one.answer for one in (await asyncio.wrap_future(finding)).exchanges]


@pytest.mark.parametrize(
    ("apology", "ending"),
    [("spoken", "cut"), ("plain", "early"), ("spoken", "nonsense"), ("spoken", "error")],
)
async def test_a_model_that_breaks_off(apology: str, ending: str) -> None:
    reply = Reply(("This was said. ", "And"), ending=ending)  # type: ignore[arg-type]
    async with FakeLlm(reply, Reply(("Well.",))) as llm:
        settings = chat_settings(model_at(llm), apology=apology, apology_text="Sorry.")
        async with chat_site(settings) as site, chatting(site) as talker:
            await talker.say("input.text", text="Speak.")
            heard = await talker.hear()
            done = heard.only("turn.done")
            assert (done["reason"], done["error"]) == ("failed", heard.only("error")["code"])
            assert heard.only("error")["utterance_index"] == 0
            said = heard.text
            assert said == ("This was said. AndSorry." if apology == "spoken" else "This was said. And")
            assert [one["text"] for one in heard.all("text.delta") if one["is_apology"]] == (
                ["Sorry."] if apology == "spoken" else []
            )
            assert done["remembered"] == "This was said. And"
            await talker.say("input.text", text="Again.")
            assert (await talker.hear()).text == "Well."


async def test_an_engine_that_fails_ends_the_turn_and_the_model() -> None:
    engine = tone_settings(takes_text_in_pieces=True, fail_after_steps=8)
    async with (
        FakeLlm(SLOW_TALK) as llm,
        chat_site(chat_settings(model_at(llm), engine=engine)) as site,
        chatting(site) as talker,
    ):
        await talker.say("input.text", text="Speak.")
        heard = await talker.hear()
        assert heard.only("turn.done")["reason"] == "failed"
        await until(lambda: llm.asked[0].hung_up_at, "the model is left")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "bad_message"),
        (b"audio", "bad_message"),
        ({"type": "input.audio"}, "bad_message"),
        ({"type": "session.config", "voice_id": "nobody"}, "unknown_voice"),
        ({"type": "session.config", "conversation_id": "a/b"}, "bad_message"),
        ({"type": "session.config", "speed": 9}, "bad_message"),
        ({"type": "interrupt", "played_seconds": -1}, "bad_message"),
        ({"type": "input.text", "text": "x" * 30_000}, "text_too_long"),
        ({"type": "input.text", "text": ""}, "empty_text"),
    ],
)
async def test_a_mistake_is_told_and_the_socket_stays(site: Site, frame: object, code: str) -> None:
    async with chatting(site) as talker:
        await talker.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
        assert (await talker.hear("error")).events[-1]["code"] == code
        await talker.say("interrupt")
        await talker.say("input.text", text="Still here.")
        heard = await talker.hear()
        if heard.all("turn.done")[-1]["reason"] == "failed":  # the end of the empty question
            heard = await talker.hear()
        assert heard.text == "Still here."


async def test_closing_and_idling(site: Site) -> None:
    async with chatting(site) as talker:
        await talker.say("session.close")
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await talker.hear()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1000
    settings = chat_settings(server={"websocket_idle_seconds": 0.3})
    async with chat_site(settings) as idle, chatting(idle) as talker:
        assert (await talker.hear("error")).events[-1]["code"] == "deadline_exceeded"
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await talker.hear()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
