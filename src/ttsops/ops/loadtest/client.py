"""One request to an OpenAI-compatible server, listened to as it streams.

aiohttp, not httpx: with 100 streams of 25 pieces a second it took 45 µs of CPU per piece where httpx took
115 µs, and the client often shares its machine with the server under test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import aiohttp

from ttsops.errors import AudioError
from ttsops.ops.loadtest.listener import Ear, Listening
from ttsops.ops.loadtest.pcm_stream import PcmStream

IN_HAND_SECONDS = 1.0
"""A real-time reader stops reading while its player has this much."""

READ_BUFFER_BYTES = 8 * 1024
"""Small, so that what a reader does not read is felt by the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked, and of whom."""

    url: str
    """Of the server, such as `http://127.0.0.1:8001`."""

    model: str = "tts-1"
    voice: str = "alloy"
    format: Literal["wav", "pcm"] = "wav"
    api_key: str = ""
    timeout_seconds: float = 120.0
    """For a whole answer."""

    is_real_time: bool = False
    """Read no faster than a player plays, as browsers and phones do."""

    @property
    def speech_url(self) -> str:
        """Also where `url` names `/v1` itself, as OpenAI's clients want it."""
        return self.url.rstrip("/").removesuffix("/v1") + "/v1/audio/speech"


@asynccontextmanager
async def open_session(target: Target) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections without a limit of their own."""
    headers = {"Authorization": f"Bearer {target.api_key}"} if target.api_key else {}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=target.timeout_seconds),
        headers=headers,
        read_bufsize=READ_BUFFER_BYTES,
    ) as session:
        yield session


async def listen(
    session: aiohttp.ClientSession,
    target: Target,
    text: str,
    due_at: float,
    clock: Callable[[], float],
) -> Listening:
    """Ask for `text` and hear all of it. What goes wrong is in the result's `error`."""
    listening = Listening(due_at, n_chars=len(text), sent_at=clock())
    try:
        await _ask(session, target, text, listening, clock)
    except TimeoutError:
        listening.error = "timeout"
    except AudioError:
        listening.error = "bad_audio"
    except (aiohttp.ClientError, OSError):
        listening.error = "connection_failed" if listening.status is None else "broken_stream"
    listening.ended_at = clock()
    return listening


async def _ask(
    session: aiohttp.ClientSession,
    target: Target,
    text: str,
    listening: Listening,
    clock: Callable[[], float],
) -> None:
    body = {"model": target.model, "voice": target.voice, "input": text, "response_format": target.format}
    async with session.post(target.speech_url, json=body) as response:
        listening.status = response.status
        if response.status != 200:
            listening.error = _error_code(response.status, await response.read())
            return
        if "json" in response.content_type or "html" in response.content_type:
            listening.error = "not_audio"
            return
        stream = PcmStream(is_wav=target.format == "wav")
        ear = Ear(listening)
        async for data in response.content.iter_any():
            now = clock()
            samples = stream.feed(data)
            if len(samples):
                ear.hear(now, samples, stream.sample_rate)
            if target.is_real_time:
                await asyncio.sleep(max(0.0, ear.seconds_in_hand(clock()) - IN_HAND_SECONDS))
    if not listening.audio_seconds:
        listening.error = "no_audio"


def _error_code(status: int, body: bytes) -> str:
    """OpenAI's `error.code` where the server gives one."""
    try:
        code = json.loads(body)["error"]["code"]
    except (ValueError, TypeError, KeyError):
        code = None
    return code if isinstance(code, str) and code else f"http_{status}"
