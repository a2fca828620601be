"""Text in pieces, speech out, over a real socket with the `websockets` client."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import websockets
from server_site import Site, metric, serving, tone_settings
from websockets.asyncio.client import ClientConnection

from ttsops.audio import decode_audio
from ttsops.speech import SAMPLE_RATE

pytestmark = pytest.mark.server

STREAMED = {"type": "session.config", "response_format": "pcm", "stream_audio": True}
CHAR_SECONDS = 0.06
CODEC_SECONDS = 0.1
"""Delay and last frame of a codec that has them."""
LONG_TEXT = "One listener hangs up. " * 50


@dataclass
class Heard:
    """Everything a client received, in order."""

    events: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    n_frames: int = 0

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def seconds(self) -> float:
        return len(self.audio) / 2 / SAMPLE_RATE

    def only(self, kind: str) -> dict[str, Any]:
        (found,) = [event for event in self.events if event["type"] == kind]
        return found


class Talker:
    """A client."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind} | fields))

    async def configure(self, config: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(config))

    async def hear(self, until: str = "session.done") -> Heard:
        heard = Heard()
        with contextlib.suppress(websockets.ConnectionClosed):
            async with asyncio.timeout(20):
                while until not in heard.kinds and not (until == "audio" and heard.audio):
                    frame = await self.socket.recv()
                    if isinstance(frame, bytes):
                        heard.audio += frame
                        heard.n_frames += 1
                    else:
                        heard.events.append(json.loads(frame))
        return heard


@contextlib.asynccontextmanager
async def talking(site: Site, config: dict[str, Any] | None = STREAMED, **more: Any) -> AsyncIterator[Talker]:
    async with websockets.connect(site.ws_url, max_size=None, proxy=None, **more) as socket:
        talker = Talker(socket)
        if config is not None:
            await talker.configure(config)
        yield talker


# ---- speaking --------------------------------------------------------------------------


async def test_text_in_pieces_is_one_audio(site: Site) -> None:
    pieces = ["The qui", "ck brown fox", " jumps over. And", " rests", "."]
    async with talking(site) as talker:
        for piece in pieces:
            await talker.say("input.text", text=piece)
        await talker.say("input.done")
        heard = await talker.hear()
    assert heard.kinds == ["audio.start", "audio.done", "session.done"]
    assert heard.seconds == pytest.approx(len("".join(pieces)) * CHAR_SECONDS, abs=0.05)
    start = heard.only("audio.start")
    assert (start["utterance_index"], start["sentence_index"], start["format"]) == (0, 0, "pcm")
    assert (start["sample_rate"], start["engine"], start["voice"]) == (SAMPLE_RATE, "tone", "middle")
    done = heard.only("audio.done")
    assert (done["total_bytes"], done["error"]) == (len(heard.audio), False)
    assert heard.only("session.done")["total_sentences"] == 1


async def test_speech_begins_before_the_text_ends(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="The first words are heard ")
        early = await talker.hear(until="audio")
        assert early.kinds == ["audio.start"]
        await talker.say("input.text", text="before the last are written.")
        await talker.say("input.done")
        assert (await talker.hear()).kinds == ["audio.done", "session.done"]


async def test_several_utterances_share_a_socket_and_each_is_counted(site: Site) -> None:
    async with talking(site) as talker:
        for index in range(3):
            await talker.say("input.text", text=f"Number {index} is said.")
            await talker.say("input.done")
        for index in range(3):
            heard = await talker.hear()
            assert {event["utterance_index"] for event in heard.events} == {index}
            assert heard.kinds == ["audio.start", "audio.done", "session.done"]


async def test_a_flush_speaks_what_is_there_and_the_audio_goes_on(site: Site) -> None:
    async with talking(site, STREAMED | {"marks": True}) as talker:
        await talker.say("input.text", text="no full stop")
        await talker.say("input.flush")
        first = Heard()
        while first.seconds < len("no full stop") * CHAR_SECONDS - 0.01:
            first.audio += (await talker.hear(until="audio")).audio
        await talker.say("input.text", text=" then more")
        await talker.say("input.done")
        rest = await talker.hear()
    assert rest.kinds[-2:] == ["audio.done", "session.done"]
    assert "audio.start" not in rest.kinds, "it is the same audio"
    marks = [mark for event in rest.events if event["type"] == "audio.marks" for mark in event["marks"]]
    assert [mark["text_start"] for mark in marks] == [13, 18], "counted from the beginning of the audio"
    assert marks[0]["start_seconds"] == pytest.approx(13 * CHAR_SECONDS, abs=0.001)


async def test_sentences_can_be_audios_of_their_own(site: Site) -> None:
    config = {"type": "session.config", "split_granularity": "sentence"}
    async with talking(site, config) as talker:
        await talker.say("input.text", text="One is here. Two is there. And three")
        await talker.say("input.done")
        heard = await talker.hear()
    assert heard.kinds == ["audio.start", "audio.done"] * 3 + ["session.done"]
    texts = [event["sentence_text"] for event in heard.events if event["type"] == "audio.start"]
    assert "".join(texts) == "One is here. Two is there. And three"
    assert heard.n_frames == 3, "a whole file for each"
    assert heard.only("session.done")["total_sentences"] == 3


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "aac", "flac"])
@pytest.mark.parametrize("stream_audio", [True, False])
async def test_every_format_is_whole(site: Site, name: str, stream_audio: bool) -> None:
    text = "A file is decoded at its end."
    config = {"type": "session.config", "response_format": name, "stream_audio": stream_audio}
    async with talking(site, config) as talker:
        await talker.say("input.text", text=text)
        await talker.say("input.done")
        heard = await talker.hear()
    samples, rate = decode_audio(bytes(heard.audio))
    assert len(samples) / rate == pytest.approx(len(text) * CHAR_SECONDS, abs=CODEC_SECONDS)
    assert (heard.n_frames == 1) or stream_audio


async def test_without_a_word_vllm_omnis_defaults_hold(site: Site) -> None:
    async with talking(site, {"type": "session.config"}) as talker:
        await talker.say("input.text", text="One file. All of it.")
        await talker.say("input.done")
        heard = await talker.hear()
    assert heard.only("audio.start")["format"] == "wav"
    assert heard.n_frames == 1
    assert int.from_bytes(heard.audio[4:8], "little") == len(heard.audio) - 8, "its true length"


async def test_marks_say_when_each_word_is_heard(site: Site) -> None:
    text = "Words have a time"
    async with talking(site, STREAMED | {"marks": True}) as talker:
        await talker.say("input.text", text=text)
        await talker.say("input.done")
        heard = await talker.hear()
    marks = [mark for event in heard.events if event["type"] == "audio.marks" for mark in event["marks"]]
    said = [text[mark["text_start"] : mark["text_start"] + mark["text_length"]] for mark in marks]
    assert said == text.split()
    times = [mark["start_seconds"] for mark in marks]
    assert times == pytest.approx([mark["text_start"] * CHAR_SECONDS for mark in marks], abs=0.001)


async def test_a_new_configuration_holds_from_the_next_utterance(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="First. ")
        await talker.say("session.config", voice="high")
        assert (await talker.hear(until="error")).only("error")["code"] == "bad_message"
        await talker.say("input.done")
        await talker.hear()
        await talker.configure(STREAMED | {"voice": "high"})
        await talker.say("input.text", text="Second.")
        await talker.say("input.done")
        assert (await talker.hear()).only("audio.start")["voice"] == "high"


async def test_nothing_to_say_is_an_utterance_without_audio(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text=" \n ")
        await talker.say("input.done")
        await talker.say("input.done")
        for index in range(2):
            heard = await talker.hear()
            assert heard.events == [
                {
                    "type": "session.done",
                    "utterance_index": index,
                    "total_sentences": 0,
                    "error": None,
                    "cancelled": False,
                }
            ]


async def test_close_says_the_rest_first(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="Say this.")
        await talker.say("input.done")
        await talker.say("session.close")
        heard = await talker.hear(until="never")
        assert heard.kinds == ["audio.start", "audio.done", "session.done"]
        assert talker.socket.close_code == 1000


async def test_fields_of_other_servers_are_named(site: Site) -> None:
    async with talking(site, STREAMED | {"task_type": "Base", "instructions": "Whisper."}) as talker:
        await talker.say("input.text", text="Hi there.")
        await talker.say("input.done")
        assert (await talker.hear()).only("audio.start")["ignored"] == ["task_type", "instructions"]


# ---- ending early ----------------------------------------------------------------------


async def test_a_cancel_is_silence_and_the_socket_goes_on(live_site: Site) -> None:
    barge_ins = metric("tts_cancels_total", engine="tone", reason="barge_in")
    async with talking(live_site) as talker:
        await talker.say("input.text", text=LONG_TEXT)
        await talker.say("input.done")
        await talker.say("input.text", text="This waits behind it.")
        await talker.hear(until="audio")
        cancelled_at = time.perf_counter()
        await talker.say("input.cancel", reason="barge_in")
        first, second = await talker.hear(), await talker.hear()
        assert time.perf_counter() - cancelled_at < 0.5
        assert first.only("audio.done")["cancelled"]
        assert first.only("session.done")["cancelled"]
        assert second.kinds == ["session.done"]
        assert second.only("session.done")["cancelled"]
        assert metric("tts_live_streams", engine="tone") == 0
        assert metric("tts_cancels_total", engine="tone", reason="barge_in") == barge_ins + 1
        await talker.say("input.text", text="Go on.")
        await talker.say("input.done")
        assert (await talker.hear()).only("session.done") == {
            "type": "session.done",
            "utterance_index": 2,
            "total_sentences": 1,
            "error": None,
            "cancelled": False,
        }


async def test_a_hang_up_frees_the_slot(live_site: Site) -> None:
    async with talking(live_site) as talker:
        await talker.say("input.text", text=LONG_TEXT)
        await talker.say("input.done")
        await talker.hear(until="audio")
        assert metric("tts_live_streams", engine="tone") == 1
        talker.socket.transport.abort()
    left_at = time.perf_counter()
    while metric("tts_live_streams", engine="tone"):
        assert time.perf_counter() - left_at < 1.0, "the slot is still taken"
        await asyncio.sleep(0.002)


async def test_a_cancel_reaches_an_utterance_that_waits_for_a_place() -> None:
    with serving(tone_settings(max_streams=1, rtf=0.5)) as site:
        async with talking(site) as first, talking(site) as second:
            await first.say("input.text", text=LONG_TEXT)
            await first.hear(until="audio")
            await second.say("input.text", text=LONG_TEXT)
            while not site.runtime.service().n_queued:  # noqa: ASYNC110 - in another thread
                await asyncio.sleep(0.002)
            await second.say("input.cancel")
            assert (await second.hear()).only("session.done")["cancelled"]
            assert site.runtime.service().n_queued == 0


# ---- what goes wrong -------------------------------------------------------------------


async def test_a_failure_is_an_error_event_and_the_next_utterance_speaks(site: Site) -> None:
    config = STREAMED | {"options": {"fail": True, "fail_after_seconds": 1.0}}
    async with talking(site, config) as talker:
        await talker.say("input.text", text=LONG_TEXT)
        await talker.say("input.done")
        heard = await talker.hear()
        assert heard.kinds == ["audio.start", "error", "audio.done", "session.done"]
        error = heard.only("error")
        assert (error["code"], error["utterance_index"]) == ("engine_failed", 0)
        assert (error["partial_audio"], error["action"]) == (True, "discard")
        assert heard.only("audio.done")["error"]
        assert heard.only("session.done")["error"] == "engine_failed"
        await talker.configure(STREAMED)
        await talker.say("input.text", text="All is well.")
        await talker.say("input.done")
        assert (await talker.hear()).kinds == ["audio.start", "audio.done", "session.done"]


async def test_text_that_comes_after_a_failure_is_dropped(site: Site) -> None:
    config = STREAMED | {"options": {"fail": True}}
    async with talking(site, config) as talker:
        await talker.say("input.text", text="This fails. ")
        assert (await talker.hear(until="error")).only("error")["code"] == "engine_failed"
        await talker.say("input.text", text="Too late. ")
        await talker.say("input.flush")
        await talker.say("input.done")
        assert (await talker.hear()).kinds == ["session.done"]


async def test_too_much_text_ends_its_utterance_only(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="x" * 20_001)
        assert (await talker.hear(until="error")).only("error")["code"] == "text_too_long"
        await talker.say("input.done")
        assert (await talker.hear()).only("session.done")["error"] == "text_too_long"
        await talker.say("input.text", text="Short.")
        await talker.say("input.done")
        assert "audio.start" in (await talker.hear()).kinds


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_message"),
        ('{"type": "input.speech"}', "bad_message"),
        ('{"type": "input.text", "text": 5}', "bad_message"),
        (b"\0\1", "bad_message"),
        ('{"type": "input.text", "text": "' + "x" * 1_100_000 + '"}', "too_large"),
        ('{"type": "session.config", "voice": "bob"}', "unknown_voice"),
        ('{"type": "session.config", "model": "tts-9"}', "unknown_engine"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
async def test_a_bad_message_is_an_error_and_the_socket_goes_on(
    site: Site, frame: str | bytes, code: str
) -> None:
    async with talking(site) as talker:
        await talker.socket.send(frame)
        assert (await talker.hear(until="error")).only("error")["code"] == code
        await talker.say("input.text", text="Go on.")
        await talker.say("input.done")
        assert "audio.start" in (await talker.hear()).kinds


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "input.text", "text": "Hi"}, "bad_message"),
        ({"type": "session.config", "voice": "bob"}, "unknown_voice"),
    ],
)
async def test_a_socket_without_a_configuration_is_closed(
    site: Site, first: dict[str, Any], code: str
) -> None:
    async with talking(site, first) as talker:
        heard = await talker.hear(until="never")
        assert heard.only("error")["code"] == code
        assert talker.socket.close_code == 1008


async def test_a_client_cannot_be_far_ahead_of_what_it_hears(live_site: Site) -> None:
    async with talking(live_site) as talker:
        await talker.say("input.text", text=LONG_TEXT)
        await talker.say("input.done")
        for _ in range(40):
            await talker.say("input.done")
        heard = await talker.hear(until="error")
        assert heard.only("error")["code"] == "overloaded"


async def test_an_idle_socket_is_closed_but_not_while_it_speaks() -> None:
    settings = tone_settings(server={"websocket_idle_seconds": 0.3}, rtf=0.5)
    with serving(settings) as site:
        async with talking(site, STREAMED | {"stream_audio": False}) as talker:
            await talker.say("input.text", text="This takes longer than an idle socket may live.")
            await talker.say("input.done")
            heard = await talker.hear()
            assert heard.kinds == ["audio.start", "audio.done", "session.done"]
            heard = await talker.hear(until="never")
            assert heard.only("error")["code"] == "deadline_exceeded"
            assert talker.socket.close_code == 1001


async def test_a_reader_that_stops_parks_its_stream_instead_of_filling_memory() -> None:
    with serving(tone_settings(runtime={"live_window_seconds": 2.0})) as site:
        spoken = metric("tts_audio_seconds_total", engine="tone")
        async with talking(site, max_queue=1) as talker:
            await talker.say("input.text", text="x" * 19_000)
            await talker.say("input.done")
            await talker.hear(until="audio")
            await asyncio.sleep(0.5)
            taken = metric("tts_audio_seconds_total", engine="tone") - spoken
            assert taken < 19_000 * CHAR_SECONDS / 4, "most of it is not made yet"
            heard = await talker.hear()
            assert heard.kinds == ["audio.done", "session.done"], "and then all of it comes"
            assert heard.events[0]["audio_seconds"] == pytest.approx(19_000 * CHAR_SECONDS, rel=0.01)


async def test_a_message_far_beyond_the_limit_closes_the_socket(site: Site) -> None:
    async with talking(site) as talker:
        with contextlib.suppress(websockets.ConnectionClosed):
            await talker.say("input.text", text="x" * 2_200_000)
        await talker.hear(until="never")
        assert talker.socket.close_code == 1009


async def test_a_bug_is_said_and_closes_the_socket(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: Any, **more: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(site.runtime, "open", broken)
    async with talking(site) as talker:
        await talker.say("input.text", text="Hi there.")
        heard = await talker.hear(until="never")
        assert heard.only("error")["code"] == "internal"
        assert "secret" not in str(heard.events)
        assert talker.socket.close_code == 1011


async def test_a_page_of_another_site_may_not_connect(site: Site) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with talking(site, origin="http://evil.example"):
            pass
    assert caught.value.response.status_code == 401
    async with talking(site, origin=site.url) as talker:
        await talker.say("input.done")
        await talker.hear()
