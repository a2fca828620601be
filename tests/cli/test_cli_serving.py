"""`ttsops serve`, and the verbs that ask a running server, against a real one."""

import json
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ttsops.cli.health import server_url
from ttsops.settings import load_settings

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the test engine, started by hand, stopped by SIGTERM."""
    command = [
        sys.executable,
        "-m",
        "ttsops",
        "serve",
        "--port",
        "0",
        "--engine",
        "tone",
        "--log-format",
        "json",
    ]
    process = subprocess.Popen(
        command,
        cwd=tmp_path_factory.mktemp("serve"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: queue.Queue[str] = queue.Queue()

    def drain() -> None:
        """All the time: a pipe that nobody reads stops the server when it is full."""
        assert process.stderr
        for line in process.stderr:
            lines.put(line)

    reader = threading.Thread(target=drain)
    reader.start()
    address = ""
    while not address:
        address = next((word for word in lines.get(timeout=30).split() if word.startswith("http://")), "")
    yield address
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    reader.join()
    assert process.stdout
    assert process.stdout.read() == "", "stdout is data, and a server has none"
    process.stdout.close()
    assert process.stderr
    process.stderr.close()
    logged = [json.loads(line) for line in lines.queue if line.startswith("{")]
    assert any(line["event"] == "utterance" for line in logged)


def test_a_healthy_server_is_told_about(ttsops: Ttsops, url: str) -> None:
    done = ttsops("health", "--url", url)
    assert done.code == 0
    assert done.out.startswith(f"{url} is ok (version ")
    assert "  tone: ready, 0 of " in done.out
    answer = json.loads(ttsops("health", "--url", url, "--json").out)
    assert (answer["is_ready"], answer["body"]["status"]) == (True, "ok")


def test_a_load_test_measures_it(ttsops: Ttsops, url: str) -> None:
    words = ("loadtest", "--url", url, "--rate", 10, "--duration", 1, "--seed", 3)
    report = json.loads(ttsops(*words, "--max-errors", 0, "--json").out)
    assert report["requests"] == report["ok"] > 3
    assert 0 < report["ttfb"]["p50"] < 1
    assert report["asked"]["seed"] == 3
    again = json.loads(ttsops(*words, "--json").out)
    assert again["requests"] == report["requests"]
    assert again["audio_seconds"] == pytest.approx(report["audio_seconds"]), "the same seed, the same texts"


def test_after_utterances_health_tells_how_they_went(ttsops: Ttsops, url: str) -> None:
    ttsops("loadtest", "--url", url, "--streams", 1, "--duration", 0.2, "--json")
    assert "100.0 % success, first audio " in ttsops("health", "--url", url).out


COUNTED_BY_GOOD_UTTERANCES = {
    "tts_requests_total",
    "tts_request_duration_seconds_count",
    "tts_time_to_first_audio_seconds_count",
    "tts_synthesis_duration_seconds_count",
    "tts_rtf_count",
    "tts_audio_seconds_total",
    "tts_queue_wait_seconds_count",
    "tts_step_duration_seconds_count",
    "tts_batch_size_count",
    "tts_event_loop_lag_seconds_count",
    "tts_model_load_time_seconds",
    "tts_max_streams",
    "tts_engine_ready",
    "tts_build_info",
    "process_resident_memory_bytes",
}


def test_after_utterances_no_figure_of_theirs_is_zero(ttsops: Ttsops, url: str) -> None:
    """A metric that is defined, shown and never counted misleads longer than one that is missing."""
    ttsops("loadtest", "--url", url, "--streams", 1, "--duration", 0.7, "--json")
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    counted = {
        sample.name
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value
    }
    assert counted >= COUNTED_BY_GOOD_UTTERANCES


def test_a_load_test_shows_its_figures_and_a_row_per_second(ttsops: Ttsops, url: str) -> None:
    Path("texts.txt").write_text("One.\nTwo.\n")
    done = ttsops(
        "loadtest", "--url", url, "--streams", 2, "--duration", 1.5, "--texts", "texts.txt", "--format", "pcm"
    )
    assert (done.code, done.err) == (0, "")
    assert all(name in done.out for name in ("TTFB", "TTFA (audible)", "RTF", "p99", "underruns: "))
    rows = done.out.split("TTFB p50")[1].splitlines()[1:]
    assert [row.split()[0] for row in rows if row.strip()][:2] == ["0", "1"]
    assert "█" in done.out


def test_a_limit_that_was_not_kept_fails_the_test(ttsops: Ttsops, url: str) -> None:
    done = ttsops("loadtest", "--url", url, "--rate", 10, "--duration", 0.5, "--max-ttfb-p99", 0.000001)
    assert done.code == 1
    assert done.err.startswith("error: TTFB p99 is ")


def test_what_the_server_refuses_is_counted_by_its_code(ttsops: Ttsops, url: str) -> None:
    done = ttsops(
        "loadtest", "--url", url, "--rate", 5, "--duration", 1, "--model", "nope", "--max-errors", 0
    )
    assert done.code == 1
    assert "unknown_engine" in done.out


@pytest.mark.parametrize("words", [("health",), ("loadtest", "--rate", "5", "--duration", "0.5")])
def test_nobody_there_is_exit_code_3(ttsops: Ttsops, words: tuple[str, ...]) -> None:
    done = ttsops(*words, "--url", "http://127.0.0.1:1")
    assert done.code == 3


@pytest.mark.parametrize(
    "words",
    [
        ("--rate", "1", "--streams", "1"),
        ("--rate", "0"),
        ("--streams", "2", "--max-streams", "1"),
        ("--texts", "none.txt"),
    ],
)
def test_a_load_test_that_makes_no_sense_is_wrong_usage(ttsops: Ttsops, words: tuple[str, ...]) -> None:
    assert ttsops("loadtest", "--url", "http://127.0.0.1:1", *words).code == 2


def test_an_address_that_is_taken_is_wrong_usage(ttsops: Ttsops, url: str) -> None:
    done = ttsops("serve", "--port", url.rpartition(":")[2], "--engine", "tone")
    assert done.code == 2
    assert "choose another with --port" in done.err


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("tts.local", "tts.local")],
)
def test_the_servers_own_machine_reaches_it_by_loopback(host: str, expected: str) -> None:
    settings = load_settings(None, {}, {"server.host": host, "server.port": 99})
    assert server_url(settings) == f"http://{expected}:99"
