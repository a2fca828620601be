"""A server that is far away, with a language model of which every answer is known."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from server_site import Site, serving

from ttsops.settings import AgentSettings, EngineSettings, LlmSettings, Settings
from ttsops.testing.fake_llm import FakeLlm, Reply


class Distance:
    """A TCP proxy that hands everything on `seconds` later, and can cut its connections."""

    def __init__(self, port: int) -> None:
        self.seconds = 0.0
        self.url = ""
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._on_connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def cut(self) -> None:
        """Every connection, without a goodbye."""
        for writer in self._writers:
            writer.transport.abort()

    async def stop(self) -> None:
        self._server.close()
        await self.cut()

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        ends = {writer, back}
        self._writers |= ends
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        self._writers -= ends
        for one in ends:
            one.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop, on_the_way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

        async def arrive() -> None:
            while True:
                at, data = await on_the_way.get()
                await asyncio.sleep(at - loop.time())
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()

        arriving = asyncio.create_task(arrive())
        try:
            while data := await reader.read(1 << 16):
                on_the_way.put_nowait((loop.time() + self.seconds, data))
        finally:
            on_the_way.put_nowait((loop.time() + self.seconds, b""))
            await arriving


class DistantSite:
    """The server at `url`, behind `distance`; `llm` answers."""

    def __init__(self, site: Site, llm: FakeLlm, distance: Distance, loop: asyncio.AbstractEventLoop) -> None:
        self.site = site
        self.llm = llm
        self.url = distance.url
        self._distance = distance
        self._loop = loop

    def answers(self, *replies: Reply, seconds: float = 0.0) -> None:
        """From here on, with each byte so late."""
        self.llm.replies[:] = [*replies, Reply(tokens=["Nothing more."])]
        self._distance.seconds = seconds

    def told(self) -> Sequence[str]:
        """What the model was sent last, without its instructions."""
        messages: list[dict[str, Any]] = self.llm.asked[-1].body["messages"]
        return [one["content"] for one in messages if one["role"] != "system"]

    def cut(self) -> None:
        asyncio.run_coroutine_threadsafe(self._distance.cut(), self._loop).result(5)


@contextlib.contextmanager
def distant() -> Iterator[DistantSite]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="distance")
    thread.start()

    def call(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    llm = FakeLlm()
    call(llm.__aenter__())
    settings = Settings(
        engine="espeak",
        engines={"espeak": EngineSettings()},
        agent=AgentSettings(enabled=True),
        llm=LlmSettings(provider="local", model="fake", base_url=f"{llm.url}/v1", max_retries=0),
    )
    try:
        with serving(settings) as site:
            distance = Distance(site.port)
            call(distance.start())
            yield DistantSite(site, llm, distance, loop)
            call(distance.stop())
    finally:
        call(llm.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
