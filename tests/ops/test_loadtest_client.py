"""The client against a real server whose faults and delays are known."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from ttsops.ops.loadtest import Limits, Listening, Plan, Target, broken_limits, run_load, summarise
from ttsops.ops.loadtest.client import listen, open_session

pytestmark = pytest.mark.server

RATE = 24_000
SLACK_SECONDS = 0.25
"""What a busy machine may add."""

FORMAT = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
HEADER = b"RIFF\xff\xff\xff\xffWAVE" + FORMAT + b"data\xff\xff\xff\xff"


def tone(seconds: float) -> bytes:
    return np.full(round(seconds * RATE), 9000, np.int16).tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


Piece = tuple[float, bytes]
ANSWERS: dict[str, list[Piece]] = {
    "steady": [(0.0, HEADER), *[(0.02, tone(0.1))] * 5],
    "late": [(0.2, HEADER + tone(0.5))],
    "quiet": [(0.0, HEADER + silence(0.3) + tone(0.2))],
    "stalling": [(0.0, HEADER + tone(0.1)), (0.4, tone(0.1))],
    "endless": [(0.0, HEADER), *[(0.02, tone(0.02))] * 1000],
    "long": [(0.0, HEADER + tone(2.0))],
    "empty": [(0.0, HEADER)],
    "garbage": [(0.0, b"this is no wave")],
}
REFUSALS = {
    "busy": (429, b'{"error": {"code": "overloaded", "message": "full"}}', "application/json"),
    "sick": (503, b"<html>", "text/html"),
    "wrong": (200, b'{"ok": true}', "application/json"),
}


class KnownServer:
    """Answers by the voice that is asked for."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.headers: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    line for line in head.lower().split("\r\n") if line.startswith("content-length")
                )
                body = json.loads(await reader.readexactly(int(length.split(":")[1])))
                self.headers.append(head)
                self.requests.append(body)
                if not await self.answer(body["voice"], writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, voice: str, writer: asyncio.StreamWriter) -> bool:
        if voice in REFUSALS:
            status, body, kind = REFUSALS[voice]
            head = f"HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            return True
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ntransfer-encoding: chunked\r\n\r\n")
        for wait, data in ANSWERS["steady" if voice == "broken" else voice]:
            await asyncio.sleep(wait)
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()
        if voice == "broken":
            return False
        writer.write(b"0\r\n\r\n")
        return True


@asynccontextmanager
async def known_server() -> AsyncIterator[tuple[KnownServer, str]]:
    known = KnownServer()
    server = await asyncio.start_server(known.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield known, f"http://127.0.0.1:{port}"
    finally:
        server.close()


async def heard(voice: str, **options: object) -> Listening:
    async with known_server() as (_, url):
        target = Target(url=url, voice=voice, **options)  # type: ignore[arg-type]
        async with open_session(target) as session:
            clock: Callable[[], float] = asyncio.get_running_loop().time
            return await listen(session, target, "Hello.", clock(), clock)


async def test_a_steady_stream_is_heard_whole_and_without_a_stall() -> None:
    one = await heard("steady")
    assert (one.error, one.status, one.underruns) == ("", 200, 0)
    assert one.audio_seconds == pytest.approx(0.5)
    assert 0.02 <= one.ttfb_seconds < 0.02 + SLACK_SECONDS  # type: ignore[operator]
    assert len(one.gaps) >= 1


async def test_the_header_is_no_audio() -> None:
    one = await heard("late")
    assert 0.2 <= one.ttfb_seconds < 0.2 + SLACK_SECONDS  # type: ignore[operator]


async def test_leading_silence_counts_into_the_audible_time() -> None:
    one = await heard("quiet")
    assert one.ttfa_seconds - one.ttfb_seconds == pytest.approx(0.3, abs=0.001)  # type: ignore[operator]


async def test_a_known_gap_is_a_known_stall() -> None:
    one = await heard("stalling")
    assert one.underruns == 1
    assert 0.29 <= one.underrun_seconds < 0.3 + SLACK_SECONDS
    assert max(one.gaps) >= 0.39


@pytest.mark.parametrize(
    ("voice", "error", "status"),
    [
        ("busy", "overloaded", 429),
        ("sick", "http_503", 503),
        ("wrong", "not_audio", 200),
        ("empty", "no_audio", 200),
        ("garbage", "bad_audio", 200),
        ("broken", "broken_stream", 200),
    ],
)
async def test_what_goes_wrong_has_a_code(voice: str, error: str, status: int) -> None:
    one = await heard(voice)
    assert (one.error, one.status) == (error, status)


async def test_an_answer_without_end_times_out() -> None:
    one = await heard("endless", timeout_seconds=0.3)
    assert one.error == "timeout"
    assert one.audio_seconds > 0


async def test_nobody_there_is_a_failed_connection() -> None:
    async with known_server() as (_, url):
        pass
    target = Target(url=url)
    async with open_session(target) as session:
        one = await listen(session, target, "Hello.", 0.0, lambda: 0.0)
    assert (one.error, one.status) == ("connection_failed", None)


async def test_a_real_time_reader_takes_no_more_than_its_player_needs() -> None:
    """Two seconds of audio are there at once; one second is kept in hand, so the rest takes a second."""
    at_once = await heard("long")
    one = await heard("long", is_real_time=True)
    assert at_once.ended_at - at_once.sent_at < 0.9
    assert 0.9 <= one.ended_at - one.sent_at < 1.0 + 2 * SLACK_SECONDS
    assert (one.audio_seconds, one.underruns) == (pytest.approx(2.0), 0)


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_the_request_is_openais(suffix: str) -> None:
    async with known_server() as (known, url):
        target = Target(url=url + suffix, voice="steady", model="tts-1", api_key="sk-x")
        async with open_session(target) as session:
            await listen(session, target, "Hello.", 0.0, lambda: 0.0)
    assert known.requests == [
        {"model": "tts-1", "voice": "steady", "input": "Hello.", "response_format": "wav"}
    ]
    assert known.headers[0].startswith("POST /v1/audio/speech HTTP/1.1")
    assert "Authorization: Bearer sk-x" in known.headers[0]


async def test_a_run_measures_what_the_server_does() -> None:
    async with known_server() as (known, url):
        target = Target(url=url, voice="late")
        async with open_session(target) as session:
            clock = asyncio.get_running_loop().time
            started_at, results = await run_load(
                Plan(duration_seconds=1.0, rate=20, seed=2),
                lambda text, due: listen(session, target, text, due, clock),
            )
    report = summarise(started_at, results)
    assert report.requests == report.ok == len(known.requests) > 5
    assert report.ttfb
    assert 0.2 <= report.ttfb.p50 < 0.2 + SLACK_SECONDS
    assert report.audio_seconds == pytest.approx(0.5 * report.requests)
    assert broken_limits(report, Limits(errors=0, underruns=0, ttfb_p99=1.0)) == []
    assert broken_limits(report, Limits(ttfb_p99=0.1))
