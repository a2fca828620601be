"""Runtimes around the `tone` engine, as the tests need them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from ttsops.runtime import Runtime, Stream
from ttsops.settings import EngineSettings, RuntimeSettings, Settings
from ttsops.speech import OptionValue, Samples

MakeRuntime = Callable[..., Runtime]


def tone_settings(runtime: RuntimeSettings | None = None, **options: OptionValue) -> Settings:
    """Settings that serve `tone` with these set-up options."""
    engine = EngineSettings(options=dict(options))
    return Settings(engine="tone", engines={"tone": engine}, runtime=runtime or RuntimeSettings())


@asynccontextmanager
async def running(settings: Settings, *, in_process: bool = False) -> AsyncIterator[Runtime]:
    async with Runtime(settings, in_process=in_process) as runtime:
        yield runtime
    assert runtime.n_live == 0


async def hear(stream: Stream) -> Samples:
    """Everything a stream says."""
    chunks = [chunk.samples async for chunk in stream]
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)


async def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for something another process does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.005)


@pytest.fixture(params=["thread", "process"])
def in_process(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "thread")


Hear = Callable[[Stream], Awaitable[Samples]]
