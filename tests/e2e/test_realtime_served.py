"""Sixteen listeners of one model, over HTTP and WebSocket: each hears what it would hear alone.

The model has small random weights: noise, but the noise of exactly this text, voice and seed. A chunk that
were lost, doubled, or given to a neighbour would be heard as another noise.
"""

import asyncio
import itertools
import json
from dataclasses import dataclass

import httpx
import numpy as np
import numpy.typing as npt
import pytest
import websockets

from e2e.conftest import RunningServer, StartServer, until

pytestmark = pytest.mark.server

N_LISTENERS = 16
N_PASSERS_BY = 2
SETTINGS = f"""
engine = "vibevoice-realtime"
[engines.vibevoice-realtime]
device = "cpu"
max_streams = {N_LISTENERS + N_PASSERS_BY}
[engines.vibevoice-realtime.options]
random_weights = "small"
max_positions = 1024
threads = 1
"""
TEXT = (
    "the lanterns were out, and far below a dog was barking at the tide; nobody came to open, so we waited "
    "by the old mill until the rain had stopped and a boat was seen on the river"
)
VOICES = ("alloy", "echo", "en-Davis_man", "nova", "in-Samuel_man")

Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Wish:
    """What one listener asks for: no two ask for the same."""

    number: int

    @property
    def words(self) -> list[str]:
        words = TEXT.split()
        return [words[(self.number % 7 + i) % len(words)] + " " for i in range(14 + self.number)]

    @property
    def fields(self) -> dict[str, object]:
        return {
            "model": "tts-1",
            "voice": VOICES[self.number % len(VOICES)],
            "seed": self.number // 2,
            "response_format": "pcm",
            "options": {
                "steps": (5, 3, 8)[self.number % 3],
                "cfg_scale": (1.5, 1.0, 2.5)[self.number // 2 % 3],
            },
        }


WISHES = [Wish(number) for number in range(N_LISTENERS)]


async def hear_whole(client: httpx.AsyncClient, wish: Wish) -> Pcm:
    """The text at once, over HTTP."""
    answer = await client.post("/v1/audio/speech", json=wish.fields | {"input": "".join(wish.words)})
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2")


async def hear_word_by_word(server: RunningServer, wish: Wish) -> Pcm:
    """The text as it is written, over a WebSocket."""
    heard = b""
    url = server.url.replace("http:", "ws:") + "/v1/audio/speech/stream"
    async with websockets.connect(url) as socket:
        config = {"type": "session.config", "stream_audio": True} | wish.fields
        await socket.send(json.dumps(config))

        async def write() -> None:
            for word in wish.words:
                await socket.send(json.dumps({"type": "input.text", "text": word}))
                await asyncio.sleep(0.005)
            await socket.send(json.dumps({"type": "input.done"}))

        writing = asyncio.create_task(write())
        async for message in socket:
            if isinstance(message, bytes):
                heard += message
                continue
            event = json.loads(message)
            assert event["type"] != "error", event
            if event["type"] == "session.done":
                break
        await writing
    return np.frombuffer(heard, "<i2")


async def pass_by(client: httpx.AsyncClient) -> None:
    """Ask for something long, and hang up at the first sound."""
    order = {"model": "tts-1", "voice": "alloy", "input": "and so on " * 100, "response_format": "pcm"}
    async with client.stream("POST", "/v1/audio/speech", json=order) as answer:
        async for _ in answer.aiter_raw():
            return


async def hear_alone(server: RunningServer) -> list[Pcm]:
    """One after the other."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        return [await hear_whole(client, wish) for wish in WISHES]


async def hear_together(server: RunningServer) -> list[Pcm]:
    """All at the same time, with others who come and go."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        listening = [
            hear_whole(client, wish) if wish.number % 2 else hear_word_by_word(server, wish)
            for wish in WISHES
        ]
        together = asyncio.gather(*listening)
        await asyncio.gather(*(pass_by(client) for _ in range(N_PASSERS_BY)))
        return await together


def steps_and_utterances_in_them(server: RunningServer) -> npt.NDArray[np.float64]:
    return np.array([server.metric("tts_batch_size_count"), server.metric("tts_batch_size_sum")])


def test_sixteen_listeners_hear_what_each_would_hear_alone(start_server: StartServer) -> None:
    server = start_server(SETTINGS)
    alone = asyncio.run(hear_alone(server))
    before = steps_and_utterances_in_them(server)
    together = asyncio.run(hear_together(server))
    n_steps, n_stepped = steps_and_utterances_in_them(server) - before
    for wish, solo, shared in zip(WISHES, alone, together, strict=True):
        assert len(shared) == len(solo), f"listener {wish.number}: lost or doubled audio"
        difference = np.abs(solo.astype(int) - shared).max()
        assert difference <= 1, f"listener {wish.number} heard something else: {difference}"
        assert np.abs(solo).max() > 100, "silence would equal silence"
    for one, another in itertools.combinations(alone, 2):
        n = min(len(one), len(another))
        assert np.abs(one[:n].astype(int) - another[:n]).max() > 50, "two who would not notice a swap"
    assert n_stepped / n_steps > 3, "they were not spoken together"
    until(lambda: server.metric("tts_live_streams") == 0, what="every place is free")
    assert server.metric("tts_cancels_total", reason="hangup") == N_PASSERS_BY
