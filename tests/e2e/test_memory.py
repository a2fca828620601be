"""Nothing grows: not over requests, not over listeners who hang up half-way."""

import httpx
import pytest

from e2e.conftest import RunningServer, StartServer, until

pytestmark = pytest.mark.server

TEXT = "A short sentence, again and again."
ORDER = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "mp3"}
LONG = ORDER | {"input": "A listener who does not stay for long hears little of this. " * 50}


def rss_mib(server: RunningServer) -> float:
    return sum(process.memory_info().rss for process in (server.process, *server.workers())) / 2**20


def serve_many(client: httpx.Client, n_requests: int) -> None:
    for number in range(n_requests):
        assert client.post("/v1/audio/speech", json=ORDER).status_code == 200
        if number % 5 == 0:
            with client.stream("POST", "/v1/audio/speech", json=LONG) as answer:
                next(answer.iter_raw())


def test_memory_is_flat_over_requests_and_hang_ups(start_server: StartServer) -> None:
    server = start_server('engine = "tone"\n[engines.tone.options]\nstep_seconds = 0.001\n')
    with httpx.Client(base_url=server.url, timeout=30) as client:
        serve_many(client, 80)
        settled, files = rss_mib(server), server.process.num_fds()
        serve_many(client, 160)
        until(lambda: server.metric("tts_live_streams") == 0, what="every slot is free")
        assert server.metric("tts_cancels_total", reason="hangup") == 48
        assert server.process.num_fds() <= files + 1
        assert rss_mib(server) < settled + 6
