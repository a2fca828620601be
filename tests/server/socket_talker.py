"""A client of the WebSocket, and what it hears."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import websockets
from server_site import Site
from websockets.asyncio.client import ClientConnection

from ttsops.speech import SAMPLE_RATE

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
