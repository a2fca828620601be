"""A client of `/chat/stream`, and what it hears."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import websockets
from server_site import Site, serving, tone_settings
from websockets.asyncio.client import ClientConnection

from ttsops.settings import AgentSettings, LlmSettings, Settings


def chat_settings(
    llm: LlmSettings | None = None,
    *,
    engine: Settings | None = None,
    server: dict[str, Any] | None = None,
    **agent: Any,
) -> Settings:
    """The test signal, and an agent that echoes unless `llm` says otherwise."""
    base = engine or tone_settings(server=server)
    return Settings(
        engine=base.engine,
        engines=base.engines,
        server=base.server,
        runtime=base.runtime,
        llm=llm or LlmSettings(provider="echo"),
        agent=AgentSettings(enabled=True, **agent),
    )


@dataclass
class Heard:
    """Everything that came, in order; binary frames as their lengths."""

    events: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def only(self, kind: str) -> dict[str, Any]:
        (found,) = self.all(kind)
        return found

    @property
    def text(self) -> str:
        return "".join(event["text"] for event in self.all("text.delta"))


class ChatTalker:
    """A client."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind} | fields))

    async def hear(self, until: str = "turn.done", n_audio: int = 1) -> Heard:
        """Until such an event, or so many frames of audio, each of which is what was announced."""
        heard = Heard()
        async with asyncio.timeout(20):
            while True:
                frame = await self.socket.recv()
                if isinstance(frame, bytes):
                    assert heard.events[-1]["type"] == "audio.delta"
                    assert heard.events[-1]["n_bytes"] == len(frame)
                    heard.audio += frame
                    if until == "audio" and len(heard.all("audio.delta")) == n_audio:
                        return heard
                else:
                    heard.events.append(json.loads(frame))
                    if heard.events[-1]["type"] == until:
                        return heard


@contextlib.asynccontextmanager
async def chatting(site: Site | str, **more: Any) -> AsyncIterator[ChatTalker]:
    url = site if isinstance(site, str) else site.url
    address = url.replace("http://", "ws://") + "/chat/stream"
    async with websockets.connect(address, max_size=None, proxy=None, **more) as socket:
        yield ChatTalker(socket)


@contextlib.asynccontextmanager
async def chat_site(settings: Settings) -> AsyncIterator[Site]:
    """The site, started and stopped beside this loop: a model's server may run in it."""
    manager = serving(settings)
    site = await asyncio.to_thread(manager.__enter__)
    try:
        yield site
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


async def until(condition: Any, what: str, seconds: float = 10.0) -> None:
    ends_at = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < ends_at, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.005)
