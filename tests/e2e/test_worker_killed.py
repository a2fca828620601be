"""`kill -9` on the worker while fifty listeners hear it, seen from outside."""

import asyncio
import os
import signal
import time

import httpx
import pytest

from e2e.conftest import RunningServer, StartServer, is_ready, until

pytestmark = pytest.mark.server

N_LISTENERS = 50
PACED = """
engine = "tone"
[engines.tone.options]
step_seconds = 0.02
"""
ORDER = {
    "model": "tts-1",
    "voice": "alloy",
    "input": "Fifty listeners hear this when the lights go out. " * 40,
    "response_format": "pcm",
}


def n_open_files(server: RunningServer) -> int:
    return server.process.num_fds()


async def listen(client: httpx.AsyncClient, url: str, started: asyncio.Semaphore) -> str:
    """How the answer ended."""
    try:
        async with client.stream("POST", f"{url}/v1/audio/speech", json=ORDER) as answer:
            assert answer.status_code == 200
            async for _ in answer.aiter_raw():
                started.release()
    except httpx.RemoteProtocolError as error:
        return str(error)
    return "a clean end"


async def listen_through_a_kill(server: RunningServer) -> list[str]:
    started = asyncio.Semaphore(0)
    limits = httpx.Limits(max_connections=N_LISTENERS)
    async with httpx.AsyncClient(limits=limits, timeout=30) as client:
        listening = [asyncio.create_task(listen(client, server.url, started)) for _ in range(N_LISTENERS)]
        for _ in range(3 * N_LISTENERS):
            await started.acquire()
        (worker,) = server.workers()
        os.kill(worker.pid, signal.SIGKILL)
        return await asyncio.gather(*listening)


def test_every_listener_is_told_and_the_server_speaks_again_within_five_seconds(
    start_server: StartServer,
) -> None:
    server = start_server(PACED)
    files = n_open_files(server)
    (first_worker,) = server.workers()
    ends = asyncio.run(listen_through_a_kill(server))
    killed_at = time.monotonic()
    assert all("incomplete chunked read" in end for end in ends), set(ends)
    assert httpx.get(f"{server.url}/health/live").status_code == 200
    until(lambda: is_ready(server.url), what="ready again", seconds=5)
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=ORDER | {"input": "Here again."})
    assert (answer.status_code, time.monotonic() - killed_at < 5) == (200, True)
    (second_worker,) = server.workers()
    assert second_worker.pid != first_worker.pid
    until(lambda: n_open_files(server) <= files + 2, what="no socket is left behind")
    assert server.metric("tts_live_streams") == 0
    assert server.metric("tts_errors_total", code="worker_died") == N_LISTENERS
    assert server.metric("tts_worker_restarts_total", engine="tone") == 1


def test_memory_does_not_grow_over_workers_that_die(start_server: StartServer) -> None:
    server = start_server(PACED)

    def die_once() -> None:
        (worker,) = server.workers()
        asyncio.run(listen_through_a_kill(server))
        until(lambda: is_ready(server.url), what="ready again", seconds=20)
        assert not worker.is_running()

    for _ in range(2):
        die_once()
    settled = server.process.memory_info().rss
    for _ in range(3):
        die_once()
    assert server.process.memory_info().rss < settled + 8 * 2**20
