"""The runtime as the server uses it, over a thread and over a worker process: one behaviour for both."""

import asyncio
import time
from collections.abc import Iterator

import numpy as np
import pytest

from runtime.conftest import hear, running, tone_settings, until
from ttsops.engines.contract import EngineConfig, Fault
from ttsops.engines.registry import create
from ttsops.errors import (
    Cancelled,
    DeadlineExceeded,
    Draining,
    EngineError,
    EngineUnavailable,
    NotLive,
    Overloaded,
    SlowReader,
    TextTooLong,
    UnknownEngine,
    UnknownVoice,
)
from ttsops.observe import metrics
from ttsops.runtime import Runtime, Stream
from ttsops.runtime.messages import Faulted
from ttsops.runtime.stream import PACE_LEAD_SECONDS
from ttsops.settings import EngineSettings, RuntimeSettings, Settings
from ttsops.speech import SAMPLE_RATE, SpeechRequest
from ttsops.testing import speak

pytestmark = pytest.mark.server

LONG = "A listener who stays for a long time hears all of this. " * 20


def requests() -> Iterator[SpeechRequest]:
    for number in range(40):
        yield SpeechRequest(
            f"Utterance {number} is nobody else's. " * (1 + number % 3),
            voice=("low", "middle", "high")[number % 3],
            speed=(1.0, 1.5)[number % 2],
            seed=number,
        )


def cancels(reason: str) -> float:
    return metrics.CANCELS.labels(engine="tone", reason=reason)._value.get()


async def test_forty_listeners_each_hear_their_own(in_process: bool) -> None:
    engine = create("tone", EngineConfig())
    async with running(tone_settings(), in_process=in_process) as runtime:
        streams = [await runtime.open(request) for request in requests()]
        heard = await asyncio.gather(*map(hear, streams))
    for request, samples in zip(requests(), heard, strict=True):
        np.testing.assert_array_equal(samples, speak(engine, request).samples)


@pytest.mark.parametrize("takes_pieces", [True, False])
async def test_text_in_pieces_speaks_as_the_whole_does(in_process: bool, takes_pieces: bool) -> None:
    text = "One sentence, word by word. Another one follows! And a tail"
    settings = tone_settings(takes_text_in_pieces=takes_pieces)
    async with running(settings, in_process=in_process) as runtime:
        whole = await runtime.open(SpeechRequest(text, seed=1))
        pieces = await runtime.open(SpeechRequest("", is_text_complete=False, seed=1))
        marks: list[tuple[int, int]] = []

        async def listen() -> int:
            n_samples = 0
            async for chunk in pieces:
                n_samples += len(chunk.samples)
                marks.extend((mark.text_start, mark.text_length) for mark in chunk.marks)
            return n_samples

        listening = asyncio.create_task(listen())
        for word in text.split(" "):
            pieces.append(word if word == "tail" else word + " ")
            await asyncio.sleep(0.005)
        pieces.end()
        n_whole = len(await hear(whole))
        assert await listening == pytest.approx(n_whole, abs=0.02 * n_whole)
    assert [text[start : start + length] for start, length in marks] == text.split()


async def test_a_sentence_is_spoken_before_the_next_one_is_written(in_process: bool) -> None:
    async with running(tone_settings(takes_text_in_pieces=False), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest("First sentence. Second", is_text_complete=False))
        chunk = await anext(aiter(stream))
        assert len(chunk.samples)
        await stream.aclose()


async def test_a_late_writer_is_no_underrun(in_process: bool) -> None:
    async with running(tone_settings(seconds_per_char=0.001), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest("Short piece. ", is_text_complete=False))
        await anext(aiter(stream))
        await asyncio.sleep(0.15)
        stream.append("Late piece.")
        stream.end()
        await hear(stream)
        assert stream.stats.underruns == 0


async def test_cancelling_frees_the_slot_before_the_next_step(in_process: bool) -> None:
    settings = tone_settings(RuntimeSettings(max_queue=0), step_seconds=0.05)
    settings = replace_engine(settings, max_streams=1)
    async with running(settings, in_process=in_process) as runtime:
        before = cancels("barge_in")
        stream = await runtime.open(SpeechRequest(LONG))
        await anext(aiter(stream))
        stream.cancel("barge_in")
        with pytest.raises(Cancelled, match="barge_in"):
            await hear(stream)
        await stream.aclose()
        assert runtime.n_live == 0
        assert metrics.LIVE_STREAMS.labels(engine="tone")._value.get() == 0
        assert cancels("barge_in") == before + 1
        again = await runtime.open(SpeechRequest("The place is free."))
        assert len(await hear(again))


def replace_engine(settings: Settings, **changes: int) -> Settings:
    options = settings.engines["tone"].options
    engine = EngineSettings(options=options, **changes)
    return Settings(engine="tone", engines={"tone": engine}, runtime=settings.runtime)


async def test_leaving_the_block_is_a_hang_up(in_process: bool) -> None:
    async with running(tone_settings(step_seconds=0.01), in_process=in_process) as runtime:
        before = cancels("hangup")
        async with await runtime.open(SpeechRequest(LONG)) as stream:
            await anext(aiter(stream))
        assert (runtime.n_live, cancels("hangup")) == (0, before + 1)


async def test_a_reader_who_does_not_read_costs_bounded_memory(in_process: bool) -> None:
    runtime_settings = RuntimeSettings(live_window_seconds=2.0)
    async with running(tone_settings(runtime_settings), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest(LONG * 10))
        other = await runtime.open(SpeechRequest(LONG))
        total = len(await hear(other))
        assert total > 24_000 * 10, "a neighbour is not disturbed"
        assert 2.0 <= stream._unread_seconds <= 2.0 + 0.08
        assert len(await hear(stream)) > 24_000 * 100, "reading goes on where it stopped"


async def test_a_reader_who_never_reads_is_cut_off(in_process: bool) -> None:
    runtime_settings = RuntimeSettings(live_window_seconds=1.0, slow_reader_seconds=0.2)
    async with running(tone_settings(runtime_settings), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest(LONG))
        await until(lambda: runtime.n_live == 0)
        with pytest.raises(SlowReader):
            await hear(stream)


async def test_reading_a_little_and_stopping_is_cut_off_too(in_process: bool) -> None:
    runtime_settings = RuntimeSettings(live_window_seconds=1.0, slow_reader_seconds=0.2)
    async with running(tone_settings(runtime_settings), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest(LONG))
        await until(lambda: stream._unread_seconds >= 1.0)
        await anext(aiter(stream))
        await until(lambda: runtime.n_live == 0)


async def test_a_deadline_ends_an_utterance(in_process: bool) -> None:
    async with running(tone_settings(step_seconds=0.02), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest(LONG), deadline_seconds=0.1)
        with pytest.raises(DeadlineExceeded):
            await hear(stream)
        await stream.aclose()
        assert runtime.n_live == 0


async def test_a_full_queue_is_answered_with_a_measured_wait(in_process: bool) -> None:
    settings = replace_engine(tone_settings(RuntimeSettings(max_queue=1), step_seconds=0.01), max_streams=2)
    async with running(settings, in_process=in_process) as runtime:
        live = [await runtime.open(SpeechRequest(LONG)) for _ in range(2)]
        waiting = asyncio.create_task(runtime.open(SpeechRequest("I wait.")))
        await until(lambda: runtime.service().n_queued == 1)
        with pytest.raises(Overloaded) as refused:
            await runtime.open(SpeechRequest("I am refused."))
        assert refused.value.retry_after is not None
        assert refused.value.retry_after >= 1.0
        await live[0].aclose()
        stream = await waiting
        assert stream.stats.queue_wait_seconds > 0
        assert len(await hear(stream))
        await live[1].aclose()


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (SpeechRequest("x", voice="nobody-of-that-name"), UnknownVoice),
        (SpeechRequest("x" * 30_000), TextTooLong),
    ],
)
async def test_a_bad_request_is_refused_before_it_costs_a_place(
    request_: SpeechRequest, error: type[Exception]
) -> None:
    async with running(tone_settings(), in_process=True) as runtime:
        with pytest.raises(error):
            await runtime.open(request_)
        assert runtime.n_live == 0


async def test_too_much_appended_text_is_refused_and_the_utterance_goes_on() -> None:
    async with running(tone_settings(seconds_per_char=0.001), in_process=True) as runtime:
        stream = await runtime.open(SpeechRequest("Start. ", is_text_complete=False))
        with pytest.raises(TextTooLong):
            stream.append("x" * 30_000)
        stream.end()
        assert len(await hear(stream))


async def test_an_unknown_engine_names_those_that_are_served() -> None:
    async with running(tone_settings(), in_process=True) as runtime:
        with pytest.raises(UnknownEngine, match="tone"):
            await runtime.open(SpeechRequest("x"), engine="nope")


async def test_a_poisoned_request_harms_no_neighbour(in_process: bool) -> None:
    async with running(tone_settings(), in_process=in_process) as runtime:
        good = SpeechRequest("A neighbour. " * 10, seed=1)
        streams = [await runtime.open(good) for _ in range(3)]
        bad = await runtime.open(SpeechRequest(LONG, options={"fail": True, "fail_after_seconds": 0.5}))
        with pytest.raises(EngineError):
            await hear(bad)
        heard = await asyncio.gather(*map(hear, streams))
        np.testing.assert_array_equal(heard[0], heard[1])
        np.testing.assert_array_equal(heard[0], speak(create("tone", EngineConfig()), good).samples)


async def test_draining_finishes_what_speaks_and_takes_nothing_new(in_process: bool) -> None:
    async with running(tone_settings(step_seconds=0.01), in_process=in_process) as runtime:
        stream = await runtime.open(SpeechRequest("Let me finish this sentence."))
        listening = asyncio.create_task(hear(stream))
        draining = asyncio.create_task(runtime.drain(10.0))
        await asyncio.sleep(0)
        assert not runtime.is_ready
        with pytest.raises(Draining):
            await runtime.open(SpeechRequest("Too late."))
        await draining
        assert len(await listening)


async def test_a_drain_that_takes_too_long_is_cut(in_process: bool) -> None:
    runtime = Runtime(tone_settings(step_seconds=0.01), in_process=in_process)
    await runtime.start()
    stream = await runtime.open(SpeechRequest(LONG * 5))
    listening = asyncio.create_task(hear(stream))
    await runtime.stop(drain_seconds=0.1)
    with pytest.raises(Draining):
        await listening


async def test_an_engine_that_cannot_load_says_why(in_process: bool) -> None:
    runtime = Runtime(tone_settings(fail_to_load=True), in_process=in_process)
    with pytest.raises(EngineUnavailable):
        await runtime.start()
    assert not runtime.is_ready
    with pytest.raises(EngineUnavailable) as refused:
        await runtime.open(SpeechRequest("x"))
    assert refused.value.retry_after is not None
    await runtime.stop()


async def test_an_engine_that_keeps_failing_is_left_alone_and_started_again(in_process: bool) -> None:
    limits = RuntimeSettings(breaker_failures=2, breaker_seconds=0.2)
    async with running(tone_settings(limits, fail_after_steps=1), in_process=in_process) as runtime:
        for _ in range(2):
            with pytest.raises(EngineError):
                await hear(await runtime.open(SpeechRequest(LONG)))
        with pytest.raises(EngineUnavailable) as refused:
            await runtime.open(SpeechRequest("x"))
        assert refused.value.retry_after is not None
        assert not runtime.is_ready
        await until(lambda: runtime.is_ready)


async def test_a_stand_in_speaks_while_the_engine_is_down() -> None:
    settings = Settings(
        engine="tone",
        engines={"tone": EngineSettings(options={"fail_to_load": True})},
        runtime=RuntimeSettings(failover="espeak"),
    )
    runtime = Runtime(settings)
    await runtime.start(wait=False)
    try:
        await until(lambda: runtime.is_ready)
        request = SpeechRequest("Somebody answers.", voice="low", options={"frequency": 440})
        stream: Stream = await runtime.open(request)
        assert stream.is_failover
        assert stream.engine == "espeak"
        assert len(await hear(stream)) > 12_000
        with pytest.raises(UnknownVoice):
            # Only for a stand-in is an unknown voice replaced: whoever names the engine is told.
            await runtime.open(SpeechRequest("x", voice="low"), engine="espeak")
    finally:
        await runtime.stop()


async def test_an_engine_slower_than_playback_makes_files_and_no_live_streams(in_process: bool) -> None:
    request = SpeechRequest("Not while somebody listens.", seed=1)
    async with running(tone_settings(is_realtime=False), in_process=in_process) as runtime:
        with pytest.raises(NotLive, match="slower than playback"):
            await runtime.open(request)
        samples = await hear(await runtime.open(request, is_live=False))
    np.testing.assert_array_equal(samples, speak(create("tone", EngineConfig()), request).samples)


async def test_a_stream_that_was_made_whole_is_sent_at_the_pace_of_play() -> None:
    request = SpeechRequest("A whole sentence, and then some more of it.")  # 2.6 s
    async with running(tone_settings(simulates_live=True), in_process=True) as runtime:
        for is_live in (True, False):
            started = time.monotonic()
            async with await runtime.open(request, is_live=is_live) as stream:
                audio = await hear(stream)
            seconds = time.monotonic() - started
            if is_live:
                assert seconds > len(audio) / SAMPLE_RATE - PACE_LEAD_SECONDS - 0.2
                assert stream.stats.underruns == 0
            else:
                assert seconds < len(audio) / SAMPLE_RATE - PACE_LEAD_SECONDS - 0.2, "a file does not wait"


async def test_whoever_hangs_up_does_not_wait_for_the_pace() -> None:
    async with running(tone_settings(simulates_live=True), in_process=True) as runtime:
        stream = await runtime.open(SpeechRequest("word " * 400))
        async with asyncio.timeout(30):
            async with stream:
                await anext(stream)
                reading = asyncio.create_task(hear(stream))
                await asyncio.sleep(0.05)
                stream.cancel("client")
                with pytest.raises(Cancelled):
                    await reading


async def test_what_an_engine_notices_of_itself_is_counted() -> None:
    def counted() -> float:
        labels = {"engine": "tone", "fault": "noise", "answer": "again"}
        return metrics.SPEECH_FAULTS.labels(**labels)._value.get()

    before = counted()
    async with (
        running(tone_settings(), in_process=True) as runtime,
        await runtime.open(SpeechRequest("A word.")) as stream,
    ):
        runtime.service()._on_event(Faulted(stream.number, (Fault("noise", "again"),)))
        await hear(stream)
    assert counted() == before + 1
