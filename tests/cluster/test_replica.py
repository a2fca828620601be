"""A replica as Ray Serve treats it, without Ray: made, asked how it is, asked for speech, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import msgspec
import psutil
import pytest

from ttsops.cluster.replica import PATIENT_LOADS, SpeechReplica
from ttsops.errors import EngineUnavailable
from ttsops.settings import EngineSettings, RuntimeSettings, Settings
from ttsops.speech import OptionValue

pytestmark = pytest.mark.server


def settings(restart_seconds: float = 30.0, **options: OptionValue) -> bytes:
    """Whose worker is started again so long after it died."""
    return msgspec.json.encode(
        Settings(
            engine="tone",
            engines={"tone": EngineSettings(options=options)},
            runtime=RuntimeSettings(restart_first_seconds=restart_seconds, restart_max_seconds=0.1),
        )
    )


async def made(data: bytes) -> SpeechReplica:
    """Ray awaits its constructor; Python itself would not."""
    replica = SpeechReplica.__new__(SpeechReplica)
    await replica.__init__(data)  # type: ignore[misc, func-returns-value]
    return replica


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def workers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


async def test_it_speaks_and_says_when_it_would_not() -> None:
    before = set(workers())
    replica = await made(settings())
    app = replica.__serve_build_asgi_app__()
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://replica") as http,
    ):
        await replica.check_health()
        answer = await http.post("/v1/audio/speech", json={"input": "Hello.", "response_format": "wav"})
        assert answer.status_code == 200
        assert answer.content[:4] == b"RIFF"
        (worker,) = set(workers()) - before
        worker.kill()
        await until(lambda: replica._runtime.service().state == "down")
        assert (await http.get("/health/ready")).status_code == 503
        await replica.check_health()
        await asyncio.sleep(0.1 + PATIENT_LOADS * (replica._runtime.service().load_seconds or 0.0))
        with pytest.raises(EngineUnavailable, match="engine `tone` does not come back"):
            await replica.check_health()
    assert set(workers()) == before, "its lifespan ends its worker"


async def test_an_engine_that_loads_again_is_given_its_time() -> None:
    before = set(workers())
    replica = await made(settings(restart_seconds=0.01, load_seconds=1.0))
    (worker,) = set(workers()) - before
    worker.kill()
    await until(lambda: not replica._runtime.is_ready)
    await asyncio.sleep(0.7)
    assert not replica._runtime.is_ready
    await replica.check_health()
    await until(lambda: replica._runtime.is_ready)
    await replica._runtime.stop()


async def test_an_engine_that_does_not_load_leaves_no_process() -> None:
    before = set(workers())
    with pytest.raises(EngineUnavailable):
        await made(settings(fail_to_load=True))
    assert set(workers()) == before
