"""`serve` as operators run it: a process of its own, its engine in another, stopped by signals."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import msgspec
import psutil
import pytest
from hypothesis import strategies as st
from server_process import any_port, running
from server_site import tone_settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ttsops.audio import decode_audio
from ttsops.settings import EngineSettings, RuntimeSettings, ServerSettings, Settings

pytestmark = pytest.mark.server

SPEECH = "/v1/audio/speech"
LONG_TEXT = "Somebody listens to the very end. " * 2
PACED = {"rtf": 0.5}


def listen(url: str, heard: dict[str, Any]) -> None:
    """What one client gets of a long text."""
    body = {"input": LONG_TEXT, "response_format": "pcm"}
    try:
        with httpx.stream("POST", url + SPEECH, json=body, timeout=20, trust_env=False) as answer:
            heard["status"] = answer.status_code
            for data in answer.iter_bytes():
                heard["bytes"] = heard.get("bytes", 0) + len(data)
        heard["is_whole"] = True
    except httpx.RemoteProtocolError:
        heard["is_whole"] = False


@contextlib.contextmanager
def listener(url: str) -> Iterator[dict[str, Any]]:
    """A client in the middle of a long text; at the end of the block it has heard what it could."""
    heard: dict[str, Any] = {}
    thread = threading.Thread(target=listen, args=(url, heard))
    thread.start()
    while not heard.get("bytes"):
        time.sleep(0.005)
    yield heard
    thread.join(20)


def wait_until_not_ready(url: str) -> None:
    until = time.monotonic() + 5
    while httpx.get(f"{url}/health/ready", trust_env=False).status_code != 503:
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def test_the_line_it_prints_makes_it_speak(directory: Path) -> None:
    with running(any_port(Settings()), directory) as process:
        assert process.url
        command = process.said[process.said.index("  curl") :].strip()
        quiet = "curl() { command curl -sS --fail --noproxy '*' \"$@\"; }; "
        subprocess.run(quiet + command, shell=True, cwd=directory, check=True)
        samples, _ = decode_audio(directory / "hello.wav")
        assert 0.5 < len(samples) / 24_000 < 3
        pids = [child.pid for child in psutil.Process(process.popen.pid).children(recursive=True)]
        assert pids, "the engine has a process of its own"
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        assert not [pid for pid in pids if psutil.pid_exists(pid)], "and it is gone"
        assert "Traceback" not in process.said


def test_no_text_breaks_the_embedded_voice(directory: Path) -> None:
    """`!?` and the like once were a 500: the engine had found nothing to speak in them."""
    signs = st.text(alphabet="!.,;:?-…\"'()[]{}<>*_~^|\\/@#$%&+= \n\t\0\x7f", max_size=8)
    with (
        running(any_port(Settings()), directory) as process,
        httpx.Client(base_url=process.url, trust_env=False, timeout=20) as client,
    ):

        @hypothesis.given(st.one_of(st.text(max_size=30), signs))
        @hypothesis.settings(max_examples=200, deadline=None, derandomize=True)
        def say(text: str) -> None:
            answer = client.post(SPEECH, json={"input": text, "response_format": "pcm"})
            if answer.status_code == 200:
                assert answer.content
            else:
                error = answer.json()["error"]
                assert (answer.status_code, error["param"]) == (400, "input")
                assert error["code"] in ("empty_text", "no_audio")

        say()
        page = client.get("/metrics").text
        assert 'tts_requests_total{engine="espeak",outcome="rejected",route="/v1/audio/speech"}' in page
        assert 'outcome="failed"' not in page, "and nobody is woken for it"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_listeners_hear_the_end_and_sends_others_away(directory: Path, number: int) -> None:
    with running(any_port(tone_settings(**PACED)), directory) as process:
        url = process.url
        with listener(url) as heard:
            process.signal(number)
            wait_until_not_ready(url)
            assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
            refused = httpx.post(url + SPEECH, json={"input": "Hi."}, trust_env=False)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert heard["is_whole"]
        assert heard["bytes"] / 48_000 == pytest.approx(len(LONG_TEXT) * 0.06, rel=0.01)
        assert process.wait() == 0


def test_a_second_signal_ends_it_at_once(directory: Path) -> None:
    with running(any_port(tone_settings(rtf=1.0)), directory) as process:
        with listener(process.url) as heard:
            process.signal(signal.SIGTERM)
            wait_until_not_ready(process.url)
            process.signal(signal.SIGTERM)
            signalled_at = time.monotonic()
            assert process.wait() == 128 + signal.SIGTERM
            assert time.monotonic() - signalled_at < 4
        assert not heard["is_whole"]


def test_who_listens_for_longer_than_the_limit_is_cut_off_visibly(directory: Path) -> None:
    settings = any_port(tone_settings(runtime={"drain_seconds": 0.3}, rtf=1.0))
    with running(settings, directory) as process:
        with listener(process.url) as heard:
            process.signal(signal.SIGTERM)
            assert process.wait() == 0
        assert not heard["is_whole"]
        assert "Traceback" not in process.said


def test_metrics_have_a_port_of_their_own_if_they_are_given_one(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with running(any_port(tone_settings(), metrics_port=port), directory) as process:
        url = process.url
        assert httpx.get(f"{url}/metrics", trust_env=False).status_code == 404
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        assert "tts_live_streams" in page.text
        assert httpx.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False).status_code == 404


def test_a_taken_port_is_said_in_a_sentence(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(server=ServerSettings(port=taken.getsockname()[1]))
        with running(settings, directory) as process:
            assert process.wait() == 1
            assert "error: bad_config: cannot listen on 127.0.0.1 port" in process.said
            assert "Traceback" not in process.said


def test_an_engine_that_cannot_load_ends_the_server(directory: Path) -> None:
    with running(any_port(tone_settings(fail_to_load=True)), directory) as process:
        assert process.wait() == 1
        assert "error: engine_unavailable" in process.said
        assert "Traceback" not in process.said


def test_probes_are_answered_while_the_engine_loads(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = msgspec.structs.replace(tone_settings(load_seconds=60.0), server=ServerSettings(port=port))
    with running(settings, directory) as process:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 20
        with httpx.Client(base_url=url, trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.ConnectError):
                    assert client.get("/health/live").status_code == 200
                    break
                assert time.monotonic() < until
                time.sleep(0.02)
            ready = client.get("/health/ready")
            assert (ready.status_code, ready.json()["status"]) == (503, "loading")
            answer = client.post(SPEECH, json={"input": "Hi."})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            with (
                pytest.raises(InvalidStatus) as caught,
                connect(f"ws://127.0.0.1:{port}{SPEECH}/stream", proxy=None),
            ):
                pass
            assert caught.value.response.status_code == 503, "a proxy asks another server"
        process.signal(signal.SIGTERM)
        assert process.wait() == 0


def test_a_stand_in_says_that_it_is_one(directory: Path) -> None:
    settings = Settings(
        engine="tone",
        engines={"tone": EngineSettings(options={"fail_to_load": True})},
        runtime=RuntimeSettings(failover="espeak"),
        server=ServerSettings(port=0),
    )
    with running(settings, directory) as process:
        answer = httpx.post(process.url + SPEECH, json={"input": "Hello."}, trust_env=False)
        assert answer.status_code == 200
        assert answer.headers["x-ttsops-engine"] == "espeak"
        assert answer.headers["x-ttsops-failover"] == "true"
        assert httpx.get(f"{process.url}/health", trust_env=False).json()["status"] == "degraded"


def test_an_upload_that_nobody_finishes_does_not_hold_the_server_up(directory: Path) -> None:
    with running(any_port(tone_settings()), directory) as process:
        host, port = process.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port))
        connection.putrequest("POST", SPEECH)
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", "100")
        connection.endheaders()
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        connection.close()


def test_no_engine_outlives_a_server_that_is_killed(directory: Path) -> None:
    with running(any_port(tone_settings()), directory) as process:
        assert process.url
        workers = psutil.Process(process.popen.pid).children(recursive=True)
        os.kill(process.popen.pid, signal.SIGKILL)
        process.wait()
        assert psutil.wait_procs(workers, timeout=5)[1] == []
