"""Traces at a real receiver: OTLP over HTTP, decoded as a collector does."""

from __future__ import annotations

import http.server
import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from server_site import client_of, serving, tone_settings
from test_agent_alone import agent_process
from websockets.sync.client import connect

from ttsops.errors import NotInstalled
from ttsops.observe import tracing
from ttsops.settings import AgentSettings, LlmSettings, Settings

pytestmark = pytest.mark.server

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(http.server.ThreadingHTTPServer):
    """Keeps every span."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                data = handler.rfile.read(int(handler.headers["content-length"]))
                if handler.headers.get("content-encoding") == "gzip":
                    import gzip

                    data = gzip.decompress(data)
                request = ExportTraceServiceRequest.FromString(data)
                self.spans += [
                    span
                    for resource in request.resource_spans
                    for scope in resource.scope_spans
                    for span in scope.spans
                ]
                handler.send_response(200)
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def trace(self, trace_id: str) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace_id}


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def tracing_on(collector: Collector) -> Iterator[Callable[[], None]]:
    """Calling it sends what there is; afterwards tracing is off again."""
    stop = tracing.configure("test", f"http://127.0.0.1:{collector.server_address[1]}/v1/traces")
    is_stopped = False

    def send() -> None:
        nonlocal is_stopped
        if not is_stopped:
            is_stopped = True
            stop()

    yield send
    send()


def settings_with_agent() -> Settings:
    return replace(tone_settings(), agent=AgentSettings(enabled=True), llm=LlmSettings(provider="echo"))


def text_of(span: Span) -> str:
    return str(span)


def test_one_trace_from_the_request_to_the_last_byte(
    collector: Collector, tracing_on: Callable[[], None]
) -> None:
    secret = "nobody should read this"
    with serving(tone_settings()) as site, client_of(site) as client:
        body = {"model": "tone", "input": secret, "response_format": "mp3"}
        answer = client.post("/v1/audio/speech", json=body, headers={"traceparent": CALLER})
        trace_id = answer.headers["x-trace-id"]
        assert trace_id == CALLER.split("-")[1], "it goes on where the caller was"
        client.get("/health")
    tracing_on()
    spans = collector.trace(trace_id)
    assert spans.keys() == {"POST /v1/audio/speech", "queue", "worker", "encode", "send"}
    root = spans["POST /v1/audio/speech"]
    assert root.parent_span_id.hex() == CALLER.split("-")[2]
    for name in ("queue", "worker", "encode", "send"):
        child = spans[name]
        assert child.parent_span_id == root.span_id
        assert root.start_time_unix_nano <= child.start_time_unix_nano <= child.end_time_unix_nano
        assert child.end_time_unix_nano <= root.end_time_unix_nano + 50_000_000
    order = [spans[name].start_time_unix_nano for name in ("queue", "worker", "encode", "send")]
    assert order == sorted(order)
    (event,) = spans["worker"].events
    assert event.name == "first frame"
    assert secret not in "".join(map(text_of, collector.spans))
    assert not any("health" in span.name for span in collector.spans), "probes are left out"


def test_a_refusal_is_an_error_in_its_trace(collector: Collector, tracing_on: Callable[[], None]) -> None:
    with serving(tone_settings()) as site, client_of(site) as client:
        answer = client.post("/v1/audio/speech", json={"model": "tone", "input": "x", "voice": "nobody"})
        assert answer.status_code == 400
    tracing_on()
    root = collector.trace(answer.headers["x-trace-id"])["POST /v1/audio/speech"]
    assert {one.key: one.value.int_value for one in root.attributes}["tts.status"] == 400


def test_the_agents_answer_has_its_model_and_its_speech_in_one_trace(
    collector: Collector, tracing_on: Callable[[], None]
) -> None:
    with serving(settings_with_agent()) as site, client_of(site) as client:
        answer = client.post("/chat", json={"text": "Good morning to you."})
        assert answer.status_code == 200
    tracing_on()
    spans = collector.trace(answer.headers["x-trace-id"])
    assert {"POST /chat", "llm", "first audio"} <= spans.keys()
    assert [event.name for event in spans["llm"].events] == ["first token"]
    assert "Good morning" not in "".join(map(text_of, collector.spans))


def test_a_socket_is_a_trace_with_its_utterances(
    collector: Collector, tracing_on: Callable[[], None]
) -> None:
    with serving(tone_settings()) as site, connect(site.ws_url) as socket:
        socket.send(json.dumps({"type": "session.config", "response_format": "pcm", "stream_audio": True}))
        for _ in range(2):
            socket.send(json.dumps({"type": "input.text", "text": "A word."}))
            socket.send(json.dumps({"type": "input.done"}))
            while True:
                frame = socket.recv(timeout=20)
                if isinstance(frame, str) and json.loads(frame)["type"] == "session.done":
                    break
        trace_id = socket.response.headers["x-trace-id"]
    tracing_on()
    names = [span.name for span in collector.spans if span.trace_id.hex() == trace_id]
    assert names.count("worker") == 2
    assert names.count("WEBSOCKET /v1/audio/speech/stream") == 1


def test_off_there_is_neither_header_nor_library() -> None:
    with serving(tone_settings()) as site, client_of(site) as client:
        answer = client.post("/v1/audio/speech", json={"model": "tone", "input": "x"})
        assert "x-trace-id" not in answer.headers
    assert tracing.begin("x") is tracing.OFF
    assert tracing.current().headers() == {}


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(NotInstalled, match="OpenTelemetry"):
        tracing.configure("test", "http://127.0.0.1:9")


def test_a_collector_that_is_away_harms_nobody() -> None:
    stop = tracing.configure("test", "http://127.0.0.1:9/v1/traces")
    try:
        with serving(tone_settings()) as site, client_of(site) as client:
            answer = client.post("/v1/audio/speech", json={"model": "tone", "input": "x"})
            assert answer.status_code == 200
    finally:
        stop()


def test_what_the_agent_sends_on_is_its_own_trace(
    collector: Collector, tracing_on: Callable[[], None]
) -> None:
    trace = tracing.begin("caller", CALLER)
    with tracing.as_current(trace):
        sent = tracing.current().headers()["traceparent"]
    trace.end()
    assert sent.split("-")[1] == CALLER.split("-")[1]
    assert sent.split("-")[2] != CALLER.split("-")[2]


def test_an_agent_of_its_own_and_its_speech_server_are_one_trace(
    collector: Collector, tracing_on: Callable[[], None], tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}/v1/traces"
    env = {"TTSOPS_TRACE__ENABLED": "true", "TTSOPS_TRACE__ENDPOINT": endpoint}
    with (
        serving(tone_settings()) as site,
        agent_process(site.url, tmp_path / "log", "--provider", "echo", **env) as (url, process),
    ):
        answer = httpx.post(f"{url}/chat", json={"text": "Hello there."}, trust_env=False)
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)  # it sends its last spans
        assert process.wait(15) == 0
    tracing_on()
    spans = collector.trace(answer.headers["x-trace-id"])
    assert {"POST /chat", "llm", "WEBSOCKET /v1/audio/speech/stream", "worker"} <= spans.keys()
    assert spans["WEBSOCKET /v1/audio/speech/stream"].parent_span_id == spans["POST /chat"].span_id
