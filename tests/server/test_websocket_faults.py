"""What ends an utterance or a socket early, and what goes on after it."""

import asyncio
import contextlib
import time
from typing import Any

import pytest
import websockets
from server_site import Site, metric, serving, tone_settings
from socket_talker import CHAR_SECONDS, LONG_TEXT, STREAMED, talking

pytestmark = pytest.mark.server

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


async def test_an_engine_slower_than_playback_refuses_streams_and_sends_whole_audio() -> None:
    with serving(tone_settings(is_realtime=False)) as site:
        async with talking(site) as talker:
            await talker.say("input.text", text="Not while somebody listens.")
            await talker.say("input.done")
            heard = await talker.hear()
            assert heard.only("error")["code"] == "not_live"
        async with talking(site, STREAMED | {"stream_audio": False}) as talker:
            await talker.say("input.text", text="Not while somebody listens.")
            await talker.say("input.done")
            heard = await talker.hear()
            assert heard.seconds > 1
