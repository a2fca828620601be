"""Many clients, every order of messages and hang-ups: nobody waits for ever, and nothing is left behind."""

import asyncio
import contextlib
import json
import random
import time
from typing import Any

import pytest
import websockets
from server_site import Site, serving, tone_settings

pytestmark = pytest.mark.server

N_ROUNDS = 3
N_TALKERS = 40
KINDS = ["input.text"] * 6 + ["input.done", "input.done", "input.flush", "input.cancel"]
PIECES = ["Hello there. ", "and, so on; ", "x" * 50, " ", "...!", "**b** 12 "]


def config_by(chance: random.Random) -> dict[str, Any]:
    fails = {"fail": True, "fail_after_seconds": 1.0}
    return {
        "type": "session.config",
        "response_format": chance.choice(["pcm", "mp3", "wav"]),
        "stream_audio": chance.random() < 0.7,
        "split_granularity": chance.choice(["none", "sentence", "clause"]),
        "marks": chance.random() < 0.5,
        "options": fails if chance.random() < 0.2 else {},
    }


async def talk(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    events: list[dict[str, Any]] = []
    async with websockets.connect(site.ws_url, proxy=None, max_size=None) as socket:

        async def listen() -> None:
            with contextlib.suppress(websockets.ConnectionClosed):
                async for frame in socket:
                    if isinstance(frame, str):
                        events.append(json.loads(frame))

        listening = asyncio.create_task(listen())
        await socket.send(json.dumps(config_by(chance)))
        for _ in range(chance.randint(1, 25)):
            kind = chance.choice(KINDS)
            text = {"text": chance.choice(PIECES)} if kind == "input.text" else {}
            await socket.send(json.dumps({"type": kind} | text))
            await asyncio.sleep(chance.random() * 0.02)
        if chance.random() < 0.5:
            socket.transport.abort()
            await listening
            return
        await socket.send('{"type": "session.close"}')
        async with asyncio.timeout(20):
            await listening
        check(events, seed)
        assert socket.close_code == 1000, f"seed {seed}"


def check(events: list[dict[str, Any]], seed: int) -> None:
    """What is begun is done, in order, and nothing is a bug."""
    done = [event["utterance_index"] for event in events if event["type"] == "session.done"]
    assert done == list(range(len(done))), f"seed {seed}"
    begun = [event["type"] for event in events if event["type"] in ("audio.start", "audio.done")]
    assert begun == ["audio.start", "audio.done"] * (len(begun) // 2), f"seed {seed}"
    codes = {event["code"] for event in events if event["type"] == "error"}
    assert codes <= {"engine_failed", "no_audio", "overloaded"}, f"seed {seed}"


async def names_of_tasks() -> list[str]:
    return sorted(str(task.get_coro()) for task in asyncio.all_tasks())


async def check_nothing_is_left(site: Site, n_tasks: int) -> None:
    until = time.monotonic() + 5
    while site.runtime.n_live or site.runtime.service().n_queued or len(site.call(names_of_tasks)) > n_tasks:
        assert time.monotonic() < until, site.call(names_of_tasks)
        await asyncio.sleep(0.02)
    assert site.call(lambda: site.state.wait_idle(0))


async def test_no_order_of_messages_leaves_anything_behind() -> None:
    """It once found a cancel in the moment in which a stream was opened: the stream lived on, unheard."""
    with serving(tone_settings(max_streams=8, rtf=0.05)) as site:
        n_tasks = len(site.call(names_of_tasks))
        for number in range(N_ROUNDS):
            await asyncio.gather(*(talk(site, number * N_TALKERS + i) for i in range(N_TALKERS)))
        await check_nothing_is_left(site, n_tasks)


async def hang_up(site: Site, seed: int) -> None:
    """Ask for a long text, and leave at some moment: while it waits, as it begins, or in the middle."""
    chance = random.Random(seed)
    body = {
        "input": "One listener hangs up. " * 20,
        "response_format": chance.choice(["pcm", "mp3", "opus", "flac"]),
        "stream_format": chance.choice(["audio", "sse"]),
    }
    content = json.dumps(body).encode()
    path = chance.choice(["/v1/audio/speech", "/v1/audio/speech", "/synthesize"])
    content = content.replace(b'"input"', b'"text"') if path == "/synthesize" else content
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
    await asyncio.sleep(chance.random() * 0.4)
    writer.transport.abort()


async def test_no_moment_of_hanging_up_leaves_anything_behind() -> None:
    with serving(tone_settings(max_streams=8, rtf=0.05)) as site:
        n_tasks = len(site.call(names_of_tasks))
        for number in range(N_ROUNDS):
            await asyncio.gather(*(hang_up(site, number * N_TALKERS + i) for i in range(N_TALKERS)))
        await check_nothing_is_left(site, n_tasks)
