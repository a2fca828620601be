"""Listeners of every kind, who come again and again, and write down what they heard."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

SPEECH = "/v1/audio/speech"
SAMPLES_PER_CHAR = 1440
"""Of the test signal: 0.06 s at 24 kHz."""

LONG_TEXT = "Somebody listens to this from the first to the very last of its words. "
SHORT_TEXT = "Yes."


@dataclass(frozen=True)
class Heard:
    """One request and what became of it."""

    request_id: str
    kind: str
    began_at: float
    """Readings of the event loop's clock."""
    ended_at: float
    problem: str
    """Empty if every sample came, and the end."""


class Crowd:
    """`ask` for each kind of listener; `heard` grows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: list[Heard] = []
        self.is_over = False
        self._numbers = itertools.count()

    async def come(self, session: aiohttp.ClientSession, kind: str) -> None:
        """Again and again."""
        ask = {"short": self._audio, "audio": self._audio, "events": self._events, "socket": self._socket}[
            kind
        ]
        text = SHORT_TEXT if kind == "short" else LONG_TEXT
        clock = asyncio.get_running_loop().time
        while not self.is_over:
            request_id, began_at = f"{kind}-{next(self._numbers)}", clock()
            try:
                async with asyncio.timeout(30):
                    problem = await ask(session, request_id, text)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                problem = f"{type(error).__name__}: {error}"
            self.heard.append(Heard(request_id, kind, began_at, clock(), problem))
            if problem:
                await asyncio.sleep(0.05)

    async def _audio(self, session: aiohttp.ClientSession, request_id: str, text: str) -> str:
        body = {"input": text, "response_format": "pcm"}
        async with session.post(self.url + SPEECH, json=body, headers={"x-request-id": request_id}) as answer:
            audio = await answer.read()
            return f"status {answer.status}" if answer.status != 200 else _length_problem(len(audio), text)

    async def _events(self, session: aiohttp.ClientSession, request_id: str, text: str) -> str:
        body = {"input": text, "response_format": "pcm", "stream_format": "sse"}
        async with session.post(self.url + SPEECH, json=body, headers={"x-request-id": request_id}) as answer:
            if answer.status != 200:
                return f"status {answer.status}"
            lines = (await answer.text()).splitlines()
        events = [json.loads(one.removeprefix("data: ")) for one in lines if one]
        if events[-1]["type"] != "speech.audio.done":
            return f"ended with {events[-1]}"
        n_bytes = sum(len(base64.b64decode(one["audio"])) for one in events[:-1])
        return _length_problem(n_bytes, text)

    async def _socket(self, session: aiohttp.ClientSession, request_id: str, text: str) -> str:
        """A sentence at a time, with a pause between them in which nothing is spoken."""
        config = {"type": "session.config", "response_format": "pcm", "stream_audio": True}
        config["split_granularity"] = "sentence"
        n_bytes = 0
        async with session.ws_connect(
            self.url + SPEECH + "/stream", headers={"x-request-id": request_id}
        ) as socket:
            await socket.send_json(config)
            await socket.send_json({"type": "input.text", "text": "Well. Then: "})
            await asyncio.sleep(1.0)
            await socket.send_json({"type": "input.text", "text": text})
            await socket.send_json({"type": "input.done"})
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    n_bytes += len(message.data)
                    continue
                event = json.loads(message.data)
                if event["type"] == "error":
                    return f"error {event['code']}"
                if event["type"] == "session.done":
                    return _length_problem(n_bytes, "Well. Then: " + text)
            return f"closed with {socket.close_code}"


def _length_problem(n_bytes: int, text: str) -> str:
    wanted = 2 * SAMPLES_PER_CHAR * len(text.strip())
    # White space at an end may be spoken or not.
    return "" if wanted <= n_bytes <= wanted + 2 * SAMPLES_PER_CHAR else f"{n_bytes} bytes, {wanted} wanted"


@contextlib.asynccontextmanager
async def crowd(url: str, kinds: Counter[str]) -> AsyncIterator[Crowd]:
    """They come inside the block; at its end everybody hears the end of what was begun."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        everybody = Crowd(url)
        async with asyncio.TaskGroup() as group:
            for kind in kinds.elements():
                group.create_task(everybody.come(session, kind))
            try:
                yield everybody
            finally:
                everybody.is_over = True
