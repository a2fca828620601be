"""OpenAI's own Python client against the real server: what it sends is taken, what it expects comes."""

import base64
import json
import time
from collections.abc import Iterator

import numpy as np
import openai
import pytest
from openai import OpenAI
from server_site import Site, metric, serving, tone_settings

from ttsops.audio import CONTENT_TYPES, Format, decode_audio
from ttsops.speech import SAMPLE_RATE
from ttsops.voices import OPENAI_VOICES

pytestmark = pytest.mark.server

TEXT = "The quick brown fox jumps over the lazy dog."
SECONDS = len(TEXT) * 0.06
"""The test signal takes 60 ms for a character."""

LONG_TEXT = "One listener hangs up. " * 50
CODEC_SECONDS = 0.1
"""Delay and last frame of a codec that has them."""


def client_for(site: Site) -> OpenAI:
    return OpenAI(base_url=f"{site.url}/v1", api_key="any", max_retries=0, timeout=20)


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[OpenAI]:
    with client_for(site) as client:
        yield client


@pytest.fixture(scope="module")
def live_client(live_site: Site) -> Iterator[OpenAI]:
    with client_for(live_site) as client:
        yield client


@pytest.mark.parametrize("name", [fmt.value for fmt in Format])
def test_every_format_is_the_speech_that_was_asked_for(client: OpenAI, name: str) -> None:
    answer = client.audio.speech.with_raw_response.create(
        model="tts-1", voice="alloy", input=TEXT, response_format=name
    )  # type: ignore[call-overload]
    assert answer.headers["content-type"] == CONTENT_TYPES[Format(name)]
    if name == "pcm":
        n_samples, rate = len(answer.content) // 2, SAMPLE_RATE
        samples = np.frombuffer(answer.content, "<i2") / np.float32(32768)
    else:
        samples, rate = decode_audio(answer.content)
        n_samples = len(samples)
    assert n_samples / rate == pytest.approx(SECONDS, abs=CODEC_SECONDS)
    assert np.abs(samples).max() > 0.05, "this is not silence"


def test_mp3_is_the_default(client: OpenAI) -> None:
    answer = client.audio.speech.with_raw_response.create(model="tts-1", voice="alloy", input=TEXT)
    assert answer.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("voice", [voice.name for voice in OPENAI_VOICES])
def test_the_thirteen_voices_speak(client: OpenAI, voice: str) -> None:
    audio = client.audio.speech.create(model="tts-1", voice=voice, input="Hi.", response_format="pcm")
    assert audio.content


def test_different_voices_sound_different(client: OpenAI) -> None:
    spoken = {
        client.audio.speech.create(
            model="tts-1", voice=voice, input=TEXT, response_format="pcm", extra_body={"seed": 1}
        ).content
        for voice in ("alloy", "onyx", "nova")
    }
    assert len(spoken) > 1


def test_a_voice_may_be_an_object(client: OpenAI) -> None:
    answer = client.audio.speech.with_raw_response.create(
        model="tts-1", voice={"id": "high"}, input="Hi.", response_format="pcm"
    )
    assert answer.headers["x-ttsops-voice"] == "high"


@pytest.mark.parametrize(
    "model", ["tts-1", "tts-1-hd", "tts-1-1106", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15", "tone"]
)
def test_every_name_of_a_model_speaks(client: OpenAI, model: str) -> None:
    answer = client.audio.speech.with_raw_response.create(
        model=model, voice="alloy", input="Hi.", response_format="pcm"
    )
    assert answer.headers["x-ttsops-engine"] == "tone"


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_speed_is_applied(client: OpenAI, speed: float) -> None:
    audio = client.audio.speech.create(
        model="tts-1", voice="alloy", input=TEXT, response_format="pcm", speed=speed
    )
    assert len(audio.content) / 2 / SAMPLE_RATE == pytest.approx(SECONDS / speed, rel=0.02)


def test_instructions_are_accepted_and_said_to_be_ignored(client: OpenAI) -> None:
    answer = client.audio.speech.with_raw_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hi.", instructions="Whisper.", response_format="pcm"
    )
    assert answer.headers["x-ttsops-ignored"] == "instructions"


def test_audio_comes_while_it_is_made(live_client: OpenAI) -> None:
    began = time.perf_counter()
    with live_client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=TEXT, response_format="pcm"
    ) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        arrivals = [(time.perf_counter() - began, len(data)) for data in answer.iter_bytes()]
    first, last = arrivals[0][0], arrivals[-1][0]
    assert last > SECONDS * 0.5 * 0.8, "the signal is made at half of real time"
    assert first < last / 2, "the first audio did not wait for the last"
    assert sum(size for _, size in arrivals) == pytest.approx(SECONDS * SAMPLE_RATE * 2, rel=0.02)


def test_events_carry_the_audio_and_its_usage(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input=TEXT, response_format="wav", stream_format="sse"
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    samples, rate = decode_audio(b"".join(base64.b64decode(delta["audio"]) for delta in deltas))
    assert len(samples) / rate == pytest.approx(SECONDS, abs=CODEC_SECONDS)
    assert done["type"] == "speech.audio.done"
    usage = done["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_characters"] == len(TEXT)
    assert usage["audio_seconds"] == pytest.approx(SECONDS, abs=0.01)


def test_lists_of_models_and_voices_are_read(client: OpenAI) -> None:
    assert {model.id for model in client.models.list()} >= {"tone", "tts-1", "gpt-4o-mini-tts"}
    assert client.models.retrieve("tts-1-hd").id == "tts-1-hd"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("tts-9")


# ---- what goes wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "raised", "code", "param"),
    [
        ({"voice": "bob"}, openai.BadRequestError, "unknown_voice", "voice"),
        ({"model": "tts-9"}, openai.NotFoundError, "unknown_engine", "model"),
        ({"input": ""}, openai.BadRequestError, "empty_text", "input"),
        ({"input": "x" * 20_001}, openai.BadRequestError, "text_too_long", "input"),
        ({"input": "x" * 1_100_000}, openai.APIStatusError, "too_large", None),
        ({"speed": 5}, openai.BadRequestError, "invalid_value", "speed"),
        ({"response_format": "ogg"}, openai.BadRequestError, "unsupported_format", "response_format"),
        ({"extra_body": {"options": {"nfe": 1}}}, openai.BadRequestError, "unknown_option", "options.nfe"),
        ({"extra_body": {"options": {"fail": True}}}, openai.InternalServerError, "engine_failed", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_is_raised_as_its_class_and_says_its_code(
    client: OpenAI, wrong: dict[str, object], raised: type[Exception], code: str, param: str | None
) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": "Hi."} | wrong
    with pytest.raises(raised) as caught:
        client.audio.speech.create(**asked)  # type: ignore[arg-type]
    error = caught.value
    assert isinstance(error, openai.APIStatusError)
    assert (error.code, error.param) == (code, param)
    assert error.request_id, "to be found in the log"


def test_a_full_server_says_when_to_come_back() -> None:
    with (
        serving(tone_settings(max_streams=1, runtime={"max_queue": 0}, rtf=0.5)) as site,
        client_for(site) as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=LONG_TEXT, response_format="pcm"
        ) as first,
    ):
        next(first.iter_bytes())
        with pytest.raises(openai.RateLimitError) as caught:
            client.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
        assert caught.value.code == "overloaded"
        assert int(caught.value.response.headers["retry-after"]) >= 1


def test_raw_audio_that_breaks_off_is_not_taken_for_complete(client: OpenAI) -> None:
    breaking = {"options": {"fail": True, "fail_after_seconds": 1.0}}
    received = bytearray()

    def listen() -> None:
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=LONG_TEXT, response_format="pcm", extra_body=breaking
        ) as answer:
            for data in answer.iter_bytes():
                received.extend(data)

    with pytest.raises(Exception, match="incomplete chunked read"):
        listen()
    assert len(received) / 2 / SAMPLE_RATE == pytest.approx(1.0, abs=0.1), "what was made was heard"


def test_events_that_break_off_end_with_an_error_the_client_raises(client: OpenAI) -> None:
    breaking = {"options": {"fail": True, "fail_after_seconds": 1.0}}
    stream = client.post(
        "/audio/speech",
        body={"model": "tts-1", "voice": "alloy", "input": LONG_TEXT, "stream_format": "sse"} | breaking,
        cast_to=object,
        stream=True,
        stream_cls=openai.Stream[object],
    )
    kinds: set[str] = set()

    def listen() -> None:
        for event in stream:
            kinds.add(event["type"])  # type: ignore[index]

    with pytest.raises(openai.APIError, match="asked to fail") as caught:
        listen()
    assert caught.value.code == "engine_failed"
    assert kinds == {"speech.audio.delta"}


def test_hanging_up_half_way_frees_the_slot_within_a_step(live_site: Site, live_client: OpenAI) -> None:
    hangups = metric("tts_cancels_total", engine="tone", reason="hangup")
    ended = {"route": "/v1/audio/speech", "engine": "tone", "outcome": "ended"}
    n_ended = metric("tts_requests_total", **ended)
    with live_client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=LONG_TEXT, response_format="pcm"
    ) as answer:
        next(answer.iter_bytes())
        assert metric("tts_live_streams", engine="tone") == 1
    left_at = time.perf_counter()
    while metric("tts_live_streams", engine="tone") > 0:
        assert time.perf_counter() - left_at < 1.0, "the slot is still taken"
        time.sleep(0.001)
    # A step of the signal takes 40 ms here; the rest is for a machine that does other things, too.
    assert time.perf_counter() - left_at < 0.3
    assert metric("tts_cancels_total", engine="tone", reason="hangup") == hangups + 1
    while metric("tts_requests_total", **ended) == n_ended:
        assert time.perf_counter() - left_at < 1.0, "nobody wrote it down"
        time.sleep(0.001)


def test_hanging_up_before_the_first_audio_frees_the_slot(site: Site) -> None:
    with serving(tone_settings(first_audio_seconds=30.0)) as slow_site, client_for(slow_site) as client:
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=0.3).audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
        left_at = time.perf_counter()
        while slow_site.runtime.n_live:
            assert time.perf_counter() - left_at < 1.0, "the slot is still taken"
            time.sleep(0.001)
