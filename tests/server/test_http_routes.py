"""Everything over HTTP that OpenAI's client does not ask for."""

import http.client
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from server_site import Site, client_of, metric, serving, tone_settings

from ttsops.audio import decode_audio
from ttsops.server.app import READABLE_HEADERS
from ttsops.speech import SAMPLE_RATE

pytestmark = pytest.mark.server

TEXT = "The quick brown fox jumps over the lazy dog."
SPEECH = "/v1/audio/speech"


# ---- speech ----------------------------------------------------------------------------


def test_headers_say_who_spoke_and_that_nobody_did(http: httpx.Client) -> None:
    answer = http.post(SPEECH, json={"input": "Hi.", "voice": "onyx", "response_format": "mp3"})
    assert answer.headers["x-ttsops-engine"] == "tone"
    assert answer.headers["x-ttsops-voice"] in ("low", "middle", "high", "top")
    assert answer.headers["x-ttsops-synthetic"] == "true"
    assert "x-ttsops-failover" not in answer.headers
    assert b"Synthetic speech by tts-ops" in answer.content[:200], "the file says it, too"


def test_a_streamed_wav_has_the_header_that_players_skip(http: httpx.Client) -> None:
    order = {"input": "Hi.", "seed": 1}
    wav = http.post(SPEECH, json=order | {"response_format": "wav"}).content
    pcm = http.post(SPEECH, json=order | {"response_format": "pcm"}).content
    assert wav[44:] == pcm


def test_a_text_is_enough(http: httpx.Client) -> None:
    answer = http.post(SPEECH, json={"input": "Hi."})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize(
    "name", ["model", "voice", "speed", "seed", "language", "options", "response_format"]
)
def test_null_is_as_good_as_nothing(http: httpx.Client, name: str) -> None:
    assert http.post(SPEECH, json={"input": "Hi.", name: None}).status_code == 200


def test_a_clients_request_id_comes_back_if_it_is_sane(http: httpx.Client) -> None:
    for path in ("/v1/models", "/nope"):
        assert http.get(path, headers={"x-request-id": "abc-123"}).headers["x-request-id"] == "abc-123"
    made = http.get("/v1", headers={"x-request-id": "a b\tc"}).headers["x-request-id"]
    assert made.startswith("req_")
    assert http.get("/v1").headers["x-request-id"] != made


def test_extras_of_other_clients_are_ignored_and_named(http: httpx.Client) -> None:
    extras: dict[str, Any] = {"task_type": "Base", "stream": True, "naïve\r\nx-evil: 1": 1}
    answer = http.post(SPEECH, json={"input": "Hi."} | extras)
    assert answer.status_code == 200
    assert answer.headers["x-ttsops-ignored"] == "na?ve??x-evil: 1, stream, task_type"
    assert "x-evil" not in answer.headers


def test_the_same_seed_gives_the_same_samples(http: httpx.Client) -> None:
    asked = {"input": TEXT, "response_format": "pcm"}
    first, again, other = (http.post(SPEECH, json=asked | {"seed": seed}).content for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_options_of_the_engine_reach_it(http: httpx.Client) -> None:
    asked = {"input": TEXT, "response_format": "pcm", "seed": 1}
    steady = http.post(SPEECH, json=asked | {"options": {"frequency": 440}}).content
    assert steady != http.post(SPEECH, json=asked).content


def test_text_is_made_speakable_unless_the_caller_says_no(http: httpx.Client) -> None:
    def seconds(**switches: bool) -> float:
        asked = {"input": "**Yes**", "response_format": "pcm"} | switches
        return len(http.post(SPEECH, json=asked).content) / 2 / SAMPLE_RATE

    assert seconds(markdown=True) == pytest.approx(3 * 0.06, abs=0.01)
    assert seconds(markdown=False) == pytest.approx(7 * 0.06, abs=0.01)


def test_only_marks_are_nothing_to_say(http: httpx.Client) -> None:
    answer = http.post(SPEECH, json={"input": "**  **"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "empty_text")


def test_nothing_is_cached(http: httpx.Client) -> None:
    assert http.post(SPEECH, json={"input": "Hi."}).headers["cache-control"] == "no-store"


# ---- bad input -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"null", "application/json"),
        (b"[]", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"input": "\\ud800"}', "application/json"),
        (b'{"input": "Hi", "seed": 1e999}', "application/json"),
        (b'{"input": "Hi", "speed": NaN}', "application/json"),
        (b'{"input": "Hi", "seed": ' + b"9" * 5000 + b"}", "application/json"),
        (b'{"input": "Hi"}', "text/plain"),
        (b"input=Hi", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(http: httpx.Client, content: bytes, content_type: str) -> None:
    answer = http.post(SPEECH, content=content, headers={"content-type": content_type})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("field", ["speed", "pitch", "seed", "model", "language", "markdown", "options"])
def test_types_are_strict(http: httpx.Client, field: str) -> None:
    answer = http.post(SPEECH, json={"input": "Hi.", field: ["x"]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.putrequest("POST", SPEECH)
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(10**12))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (413, "too_large")
    connection.close()


def test_a_body_without_a_length_is_cut_off_when_it_is_too_large(http: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    answer = http.post(SPEECH, content=pieces(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(("method", "path"), [("GET", SPEECH), ("DELETE", "/v1/models"), ("PUT", "/health")])
def test_a_wrong_method_is_told_the_right_one(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


def test_a_bug_is_a_500_with_an_id_to_ask_about(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: Any, **more: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(site.runtime, "open", broken)
    with client_of(site) as client:
        answer = client.post(SPEECH, json={"input": "Hi."}, headers={"x-request-id": "find-me"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "find-me" in answer.json()["error"]["message"]
    assert "secret" not in answer.text
    assert answer.headers.get_list("x-request-id") == ["find-me"]
    assert metric("tts_errors_total", engine="tone", code="internal") >= 1


def test_a_path_that_is_not_there_is_a_404(http: httpx.Client) -> None:
    answer = http.get("/v2/audio")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_rejections_are_counted_without_made_up_labels(http: httpx.Client) -> None:
    rejected = {"route": SPEECH, "engine": "none", "outcome": "rejected"}
    before = metric("tts_requests_total", **rejected)
    http.post(SPEECH, json={"input": 5})
    http.post(SPEECH, json={"input": "Hi.", "model": "made-up"})
    assert metric("tts_requests_total", **rejected) == before + 2
    assert "made-up" not in http.get("/metrics").text


# ---- files -----------------------------------------------------------------------------


def test_a_file_has_its_true_length_and_its_figures(http: httpx.Client) -> None:
    answer = http.post("/synthesize", json={"text": TEXT, "voice_id": "high"})
    assert answer.headers["content-type"] == "audio/wav"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert struct.unpack("<I", answer.content[4:8])[0] == len(answer.content) - 8
    seconds = float(answer.headers["x-ttsops-audio-seconds"])
    assert seconds == pytest.approx(len(TEXT) * 0.06, abs=0.01)
    rtf = float(answer.headers["x-ttsops-rtf"])
    assert rtf == pytest.approx(float(answer.headers["x-ttsops-synthesis-seconds"]) / seconds, rel=0.01)
    assert float(answer.headers["x-ttsops-first-audio-seconds"]) > 0
    assert float(answer.headers["x-ttsops-queue-seconds"]) >= 0
    assert answer.headers["x-ttsops-voice"] == "high"


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "aac", "flac"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_file_of_every_format_decodes(http: httpx.Client, name: str, stream: bool) -> None:
    answer = http.post("/synthesize", json={"text": TEXT, "output_format": name, "stream": stream})
    samples, rate = decode_audio(answer.content)
    assert len(samples) / rate == pytest.approx(len(TEXT) * 0.06, abs=0.1)
    assert ("content-length" in answer.headers) != stream


def test_a_file_that_breaks_off_is_an_error_and_no_file(http: httpx.Client) -> None:
    options = {"fail": True, "fail_after_seconds": 1.0}
    answer = http.post("/synthesize", json={"text": TEXT * 5, "options": options})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "engine_failed")


@pytest.mark.parametrize(
    ("wrong", "param"),
    [({"voice_id": "bob"}, "voice_id"), ({"text": " "}, "text"), ({"output_format": "ogg"}, "output_format")],
)
def test_errors_name_the_fields_of_this_route(http: httpx.Client, wrong: dict[str, str], param: str) -> None:
    answer = http.post("/synthesize", json={"text": "Hi."} | wrong)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


# ---- what there is ---------------------------------------------------------------------


def test_voices_are_there_for_both_kinds_of_clients(http: httpx.Client) -> None:
    body = http.get("/v1/audio/voices").json()
    assert body["object"] == "list"
    assert body["data"] == body["voices"]
    assert {voice["id"] for voice in body["voices"]} == {"low", "middle", "high", "top"}
    assert all(voice["name"] for voice in body["voices"])
    assert len(body["aliases"]) == 13
    assert set(body["aliases"].values()) <= {"low", "middle", "high", "top"}
    assert http.get("/v1/audio/voices", params={"model": "tts-1"}).json() == body
    assert http.get("/v1/audio/voices", params={"model": "tts-9"}).status_code == 404


def test_health_says_how_it_went_of_late() -> None:
    with serving(tone_settings()) as site, client_of(site) as client:
        assert client.get("/health").json()["recent"]["success_rate"] is None
        client.post(SPEECH, json={"input": TEXT})
        client.post(SPEECH, json={"input": TEXT, "options": {"fail": True}})
        body = client.get("/health").json()
    assert body["status"] == "ok"
    assert body["engines"]["tone"]["state"] == "ready"
    recent = body["recent"]
    assert (recent["utterances"], recent["success_rate"]) == (2, 0.5)
    assert 0 < recent["first_chunk_seconds"]["p50"] < 1
    assert 0 < recent["rtf"]["p50"] < 1


def test_probes_tell_a_slow_start_from_a_dead_process(http: httpx.Client, site: Site) -> None:
    assert http.get("/health/live").status_code == 200
    assert http.get("/health/ready").status_code == 200
    site.runtime.is_draining = True
    try:
        assert http.get("/health/live").status_code == 200
        assert http.get("/health/ready").status_code == 503
        assert http.get("/health").json()["status"] == "draining"
        answer = http.post(SPEECH, json={"input": "Hi."})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "draining")
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        site.runtime.is_draining = False


def test_metrics_count_what_was_spoken(http: httpx.Client) -> None:
    ok = {"route": SPEECH, "engine": "tone", "outcome": "ok"}
    n_ok = metric("tts_requests_total", **ok)
    n_first = metric("tts_time_to_first_audio_seconds_count", engine="tone", format="opus")
    http.post(SPEECH, json={"input": "Hi.", "response_format": "opus"})
    assert metric("tts_requests_total", **ok) == n_ok + 1
    assert metric("tts_time_to_first_audio_seconds_count", engine="tone", format="opus") == n_first + 1
    page = http.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "tts_request_duration_seconds_bucket" in page.text
    assert "tts_event_loop_lag_seconds_count" in page.text


def test_the_roots_say_where_the_description_is(http: httpx.Client) -> None:
    for path in ("/", "/v1"):
        about = http.get(path).json()
        assert about["name"] == "tts-ops"
        assert http.get(about["openapi"]).json()["info"]["title"] == "tts-ops"
        assert http.get(about["docs"]).status_code == 200


# ---- pages of other sites --------------------------------------------------------------


def test_a_page_of_an_allowed_origin_may_call_and_read_the_headers() -> None:
    origin = {"origin": "https://app.example"}
    settings = tone_settings(server={"cors_origins": ("https://app.example",)})
    with serving(settings) as site, client_of(site, headers=origin) as client:
        preflight = client.options(SPEECH, headers={"access-control-request-method": "POST"})
        assert preflight.headers["access-control-allow-origin"] == "https://app.example"
        answer = client.post(SPEECH, json={"input": "Hi."})
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert set(exposed) == set(READABLE_HEADERS)
        assert {name for name in answer.headers if name.startswith("x-")} <= set(exposed)
        refused = client.post(SPEECH, content=b"x" * 2_000_000)
        assert refused.status_code == 413
        assert "access-control-allow-origin" in refused.headers, "errors can be read, too"
        other = client.get("/v1", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_no_origin_is_allowed_unless_it_is_said(http: httpx.Client) -> None:
    answer = http.get("/v1", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers


# ---- slow readers ----------------------------------------------------------------------


def test_a_reader_that_never_reads_again_is_given_up() -> None:
    limits = {"slow_reader_seconds": 0.5, "live_window_seconds": 2.0}
    with serving(tone_settings(runtime=limits)) as site:
        given_up = metric("tts_cancels_total", engine="tone", reason="slow_reader")
        body = json.dumps({"input": "x" * 19_000, "response_format": "pcm"})
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
        connection.request("POST", SPEECH, body, {"content-type": "application/json"})
        assert connection.getresponse().status == 200
        assert site.call(lambda: site.state.wait_idle(15)), "its connection and its memory are still held"
        assert metric("tts_cancels_total", engine="tone", reason="slow_reader") == given_up + 1
        connection.close()


def test_a_reader_that_stops_parks_its_stream_instead_of_filling_memory() -> None:
    """What the engine makes ahead is bounded by the window and the socket's buffers."""
    text = "x" * 19_000
    with serving(tone_settings(runtime={"live_window_seconds": 2.0})) as site, client_of(site) as client:
        spoken = metric("tts_audio_seconds_total", engine="tone")
        with client.stream("POST", SPEECH, json={"input": text, "response_format": "pcm"}) as answer:
            pieces = answer.iter_bytes(1024)
            next(pieces)
            time.sleep(0.5)
            taken = metric("tts_audio_seconds_total", engine="tone") - spoken
            assert taken < 19_000 * 0.06 / 4, "most of it is not made yet"
            n_bytes = 1024 + sum(map(len, pieces))
        assert n_bytes / 2 / SAMPLE_RATE == pytest.approx(19_000 * 0.06, rel=0.01), "and then all of it comes"


def test_an_engine_slower_than_playback_refuses_events_and_makes_files() -> None:
    with serving(tone_settings(is_realtime=False)) as site, client_of(site) as http:
        body = {"input": "Not while somebody listens.", "response_format": "wav"}
        refused = http.post(SPEECH, json=body | {"stream_format": "sse"})
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "not_live"
        assert "whole file" in refused.json()["error"]["hint"]
        assert http.post(SPEECH, json=body).content[:4] == b"RIFF"
        assert http.post("/synthesize", json={"text": body["input"]}).status_code == 200
