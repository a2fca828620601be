"""The recordings that voices speak from, over HTTP: looked up, replaced, taken back, downloaded."""

import io
import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from server_site import Site, client_of, serving, tone_settings

from ttsops.audio import decode_audio
from ttsops.settings import ServerSettings, Settings, VoiceSettings
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.server

ALICE = "/api/voices/en-Alice_woman/reference"
WORDS = {"transcript": "Some call me nature.", "consent": "Alice agreed on 2026-11-01"}


def recording(seconds: float = 3.0, *, level: float = 0.2, seed: int = 0, rate: int = 16_000) -> bytes:
    noise = np.random.default_rng(seed).uniform(-level, level, int(seconds * rate))
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, rate, len(noise), "NONE", ""))
        wav.writeframes((noise * 32767).astype("<i2").tobytes())
    return file.getvalue()


def with_voices(folder: Path, **server: Any) -> Settings:
    base = tone_settings()
    voices = VoiceSettings(folder=str(folder), max_reference_bytes=400_000)
    return Settings(engine="tone", engines=base.engines, server=ServerSettings(**server), voices=voices)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> VoiceLibrary:
    made = VoiceLibrary(tmp_path_factory.mktemp("voices"))
    made.add("en-Alice_woman", recording(), "Hello there.", consent="Alice agreed", source_name="alice.wav")
    made.add("en-Bob_man", recording(seed=1), "Hello.", consent="Bob agreed")
    return made


@pytest.fixture(scope="module")
def voices_site(library: VoiceLibrary) -> Iterator[Site]:
    with serving(with_voices(library.folder)) as site:
        yield site


@pytest.fixture
def voices(voices_site: Site) -> Iterator[httpx.Client]:
    with client_of(voices_site) as client:
        yield client
        client.delete(ALICE)


def send(client: httpx.Client, data: bytes, path: str = ALICE, **words: str) -> httpx.Response:
    return client.post(path, files={"file": ("new.wav", data)}, data=WORDS | words)


def test_it_says_what_a_voice_speaks_from(voices: httpx.Client) -> None:
    body = voices.get(ALICE).json()
    assert (body["voice"], body["active"], body["override"]) == ("en-Alice_woman", "baseline", None)
    baseline = body["baseline"]
    assert (baseline["transcript"], baseline["source_name"]) == ("Hello there. ", "alice.wav")
    assert baseline["seconds"] == pytest.approx(3.05, abs=0.01)
    assert (baseline["consent"], baseline["sample_rate"]) == ("Alice agreed", 16_000)


def test_an_override_counts_at_once_and_is_taken_back(voices: httpx.Client, library: VoiceLibrary) -> None:
    generation, before = library.generation("en-Alice_woman"), voices.get(ALICE).json()["baseline"]["sha256"]
    answer = send(voices, recording(seed=2))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body == voices.get(ALICE).json()
    assert (body["active"], body["override"]["transcript"]) == ("override", "Some call me nature. ")
    assert body["override"]["consent"] == WORDS["consent"]
    assert library.generation("en-Alice_woman") != generation, "an engine elsewhere sees it"
    assert library.reference("en-Alice_woman").sha256 == body["override"]["sha256"] != before

    answer = voices.delete(ALICE)
    assert (answer.status_code, answer.json()["active"], answer.json()["override"]) == (200, "baseline", None)
    assert voices.delete(ALICE).status_code == 200, "there is nothing left to take back"
    assert library.reference("en-Alice_woman").sha256 == before


def test_both_recordings_can_be_downloaded(voices: httpx.Client) -> None:
    send(voices, recording(4.0, seed=3))
    heard = {}
    for source in ("baseline", "override", "active"):
        answer = voices.get(f"{ALICE}/audio", params={"source": source})
        assert answer.headers["content-type"] == "audio/wav"
        assert f'filename="en-Alice_woman-{source}.wav"' in answer.headers["content-disposition"]
        samples, rate = decode_audio(answer.content)
        heard[source] = len(samples) / rate
    assert heard["baseline"] == pytest.approx(3.05, abs=0.01)
    assert heard["override"] == heard["active"] == pytest.approx(4.05, abs=0.01)


def test_another_format_is_read(voices: httpx.Client) -> None:
    flac = voices.post("/synthesize", json={"text": "x" * 60, "output_format": "flac"}).content
    assert send(voices, flac).json()["override"]["sample_rate"] == 24_000


# ---- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words", "code", "param"),
    [
        (recording(level=0.0), {}, "silent_reference", "file"),
        (recording(1.0), {}, "short_reference", "file"),
        (b"no audio", {}, "unreadable_reference", "file"),
        (b"", {}, "unreadable_reference", "file"),
        (recording(seed=4), {"transcript": " "}, "no_transcript", "transcript"),
        (recording(seed=4), {"consent": " "}, "no_consent", "consent"),
        (recording(seed=4), {"transcript": "x" * 2000}, "bad_reference", "transcript"),
    ],
)
def test_what_gives_no_voice_is_a_400_with_its_reason(
    voices: httpx.Client, data: bytes, words: dict[str, str], code: str, param: str
) -> None:
    answer = send(voices, data, **words)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert error["hint"]
    assert voices.get(ALICE).json()["active"] == "baseline"


def test_samples_that_are_not_finite_are_a_400(voices: httpx.Client) -> None:
    data = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 400, b"WAVE", b"fmt ", 16, 3, 1, 24_000, 96_000, 4,
                       32, b"data", 400) + struct.pack("<100f", *[float("nan")] * 100)  # fmt: skip
    answer = send(voices, data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "broken_reference")


def test_a_recording_of_another_voice_is_a_conflict(voices: httpx.Client) -> None:
    answer = send(voices, recording(seed=1), transcript="Hello.")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "duplicate_voice")
    assert "en-Bob_man" in answer.json()["error"]["message"]


@pytest.mark.parametrize("voice", ["en-Eve_woman", "..", "%2e%2e", "a%00b", "EN-ALICE_WOMAN", "x" * 3000])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_voice_that_is_not_there_is_a_404(voices: httpx.Client, voice: str, method: str) -> None:
    path = f"/api/voices/{voice}/reference"
    form = {"files": {"file": ("new.wav", recording(seed=5))}, "data": WORDS} if method == "POST" else {}
    answer = voices.request(method, path, **form)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] in ("voice_not_found", "not_found")
    assert voices.get(f"{path}/audio").status_code == 404


def test_an_override_that_is_not_there_is_a_404(voices: httpx.Client) -> None:
    answer = voices.get(f"{ALICE}/audio", params={"source": "override"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_override")
    assert voices.get(f"{ALICE}/audio", params={"source": "other"}).status_code == 400


@pytest.mark.parametrize("missing", ["file", "transcript", "consent"])
def test_a_field_that_is_missing_is_named(voices: httpx.Client, missing: str) -> None:
    parts: dict[str, Any] = {"file": ("new.wav", recording()), **{k: (None, v) for k, v in WORDS.items()}}
    del parts[missing]
    error = voices.post(ALICE, files=parts).json()["error"]
    assert (error["code"], error["param"]) == ("invalid_value", missing)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b'{"file": "x"}', "application/json"),
        (b"file=x&transcript=y&consent=z", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_such_form_is_a_400(voices: httpx.Client, body: bytes, kind: str) -> None:
    answer = voices.post(ALICE, content=body, headers={"content-type": kind})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("is_announced", [True, False])
def test_more_bytes_than_a_recording_may_have_are_a_413(voices: httpx.Client, is_announced: bool) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = head + bytes(500_000) + b"\r\n--x--\r\n"
    content = body if is_announced else iter([body[:200_000], body[200_000:]])
    answer = voices.post(ALICE, content=content, headers={"content-type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "400000 bytes" in answer.json()["error"]["message"]
    assert voices.post("/v1/audio/speech", content=b"x" * 1_100_000).status_code == 413


def test_damaged_files_are_never_the_servers_fault(voices: httpx.Client) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        data = bytearray(recording(2.5, seed=6))
        for place in rng.integers(0, 44, 3):
            data[place] = rng.integers(0, 256)
        assert send(voices, bytes(data)).status_code in (200, 400)


def test_a_page_of_another_origin_cannot_send_a_form(voices: httpx.Client) -> None:
    """Browsers ask nobody before they send one."""
    form: Any = {"files": {"file": ("new.wav", recording(seed=7))}, "data": WORDS}
    answer = voices.post(ALICE, headers={"origin": "https://evil.example"}, **form)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    kind = {"content-type": "Multipart/Form-Data; boundary=x", "origin": "https://evil.example"}
    assert voices.post(ALICE, content=b"--x--", headers=kind).status_code == 401
    own = str(voices.base_url).rstrip("/")
    assert voices.post(ALICE, headers={"origin": own}, **form).status_code == 200


def test_a_server_without_such_voices_says_so(http: httpx.Client) -> None:
    for answer in (http.get(ALICE), http.delete(ALICE), http.get(f"{ALICE}/audio"), send(http, recording())):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_references")
        assert "voices.folder" in answer.json()["error"]["hint"]


def test_a_damaged_library_is_the_servers_fault_and_says_which_file(tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path)
    library.add("en-Alice_woman", recording(), "Hello.", consent="Alice agreed")
    with serving(with_voices(tmp_path)) as site, client_of(site) as client:
        (tmp_path / "en-Alice_woman" / "voice.json").write_text("{}")
        answer = client.get(ALICE)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "bad_audio_data")
        assert "voice.json" in answer.json()["error"]["message"]
        assert client.get("/health").status_code == 200
