"""`/v1/audio/voices` and `/v1/audio/voice_consents`, driven by OpenAI's own client over a real socket."""

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from server_site import Site, client_of, serving, tone_settings

from ttsops.settings import ServerSettings, Settings, VoiceSettings
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.server

VOICES, CONSENTS = "/v1/audio/voices", "/v1/audio/voice_consents"
WORDS = {"name": "en-Alice_woman", "consent": "Alice agreed on 2026-11-01"}


def recording(seconds: float = 3.0, *, level: float = 0.2, seed: int = 0, rate: int = 16_000) -> bytes:
    n_samples = int(seconds * rate)
    noise = np.random.default_rng(seed).uniform(-level, level, n_samples)
    noise *= np.sin(2 * np.pi * 2 * np.arange(n_samples) / rate) ** 2
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, rate, n_samples, "NONE", ""))
        wav.writeframes((noise * 32767).astype("<i2").tobytes())
    return file.getvalue()


def with_voices(folder: Path, **server: Any) -> Settings:
    base = tone_settings()
    voices = VoiceSettings(folder=str(folder), max_reference_bytes=400_000)
    return Settings(engine="tone", engines=base.engines, server=ServerSettings(**server), voices=voices)


@pytest.fixture(scope="module")
def voices_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(with_voices(tmp_path_factory.mktemp("voices"))) as site:
        yield site


@pytest.fixture
def library(voices_site: Site) -> Iterator[VoiceLibrary]:
    made = VoiceLibrary(voices_site.settings.voices.folder)
    yield made
    for voice_id in made.ids():
        made.remove(voice_id)


@pytest.fixture
def voices(voices_site: Site, library: VoiceLibrary) -> Iterator[httpx.Client]:
    with client_of(voices_site) as client:
        yield client


@pytest.fixture
def sdk(voices_site: Site, library: VoiceLibrary) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{voices_site.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def send(client: httpx.Client, data: bytes, **words: str) -> httpx.Response:
    return client.post(VOICES, files={"audio_sample": ("alice.wav", data)}, data=WORDS | words)


# ---- with OpenAI's client --------------------------------------------------------------


def test_the_official_client_makes_a_voice_from_a_consent_and_a_sample(
    sdk: openai.OpenAI, library: VoiceLibrary
) -> None:
    consent = sdk.audio.voice_consents.create(
        name="John Doe", language="en-US", recording=("yes.wav", recording(seed=1))
    )
    assert consent.id.startswith("cons_")
    assert (consent.object, consent.name, consent.language) == ("audio.voice_consent", "John Doe", "en-US")
    voice = sdk.audio.voices.create(
        name="My new voice", consent=consent.id, audio_sample=("sample.wav", recording(seed=2))
    )
    assert (voice.object, voice.type, voice.name) == ("audio.voice", "audio_sample", "My new voice")
    assert voice.id == "en-US-MyNewVoice_person"
    kept = library.get(voice.id)
    assert (kept.consent.who, kept.consent.id) == ("John Doe", consent.id)
    assert library.file(voice.id, "consent.audio") == recording(seed=1)
    assert voice.created_at == pytest.approx(consent.created_at, abs=10)

    deleted = sdk.audio.voices.delete(voice.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (voice.id, True, "audio.voice.deleted")
    with pytest.raises(openai.NotFoundError):
        sdk.audio.voices.delete(voice.id)


def test_the_official_client_pages_through_consents(sdk: openai.OpenAI) -> None:
    made = [
        sdk.audio.voice_consents.create(name=f"P{i}", language="en", recording=("a.wav", recording(seed=i)))
        for i in range(5)
    ]
    listed = [one.id for one in sdk.audio.voice_consents.list(limit=2)]
    assert set(listed) >= {one.id for one in made}
    assert len(listed) == len(set(listed)), "nobody comes twice"
    first = sdk.audio.voice_consents.list(limit=2)
    assert (len(first.data), first.has_more) == (2, True)

    renamed = sdk.audio.voice_consents.update(made[0].id, name="Somebody else")
    assert sdk.audio.voice_consents.retrieve(made[0].id) == renamed
    for one in made:
        gone = sdk.audio.voice_consents.delete(one.id)
        assert (gone.deleted, gone.object) == (True, "audio.voice_consent")
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.audio.voice_consents.retrieve(made[0].id)
    assert caught.value.code == "consent_not_found"


# ---- beyond OpenAI ---------------------------------------------------------------------


def test_what_will_be_heard_and_who_can_speak_so_is_in_the_answer(voices: httpx.Client) -> None:
    body = send(voices, recording(), transcript="Some words.", language="en").json()
    assert body["id"] == "en-Alice_woman"
    assert (body["language"], body["gender"]) == ("en", "female")
    assert body["unsuited"] == {"f5": "", "vibevoice": ""}
    assert body["seconds"] == pytest.approx(3, abs=0.3)
    assert isinstance(body["warnings"], list)
    without = send(voices, recording(seed=3), name="Bob", gender="man").json()
    assert without["id"] == "en-Bob_man"
    assert "is not written" in without["unsuited"]["f5"]


def test_consent_may_be_given_in_words(voices: httpx.Client, library: VoiceLibrary) -> None:
    assert send(voices, recording()).status_code == 200
    assert library.get("en-Alice_woman").consent.statement == WORDS["consent"]


# ---- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words", "status", "code", "param"),
    [
        (recording(level=0.0), {}, 400, "silent_reference", "audio_sample"),
        (recording(0.2), {}, 400, "short_reference", "audio_sample"),
        (b"no audio", {}, 400, "unreadable_reference", "audio_sample"),
        (b"", {}, 400, "unreadable_reference", "audio_sample"),
        (recording(seed=4), {"consent": " "}, 400, "no_consent", "consent"),
        (recording(seed=4), {"consent": "cons_1234"}, 404, "consent_not_found", "consent"),
        (recording(seed=4), {"consent": "cons_../../x"}, 404, "consent_not_found", "consent"),
        (recording(seed=4), {"name": " "}, 400, "invalid_value", "name"),
        (recording(seed=4), {"language": "?", "name": "A"}, 400, "invalid_value", "language"),
        (recording(seed=4), {"gender": "robot", "name": "A"}, 400, "invalid_value", "gender"),
        (recording(seed=4), {"type": "prompt"}, 400, "invalid_value", "type"),
        (recording(seed=4), {"transcript": "x" * 2000}, 400, "bad_reference", "transcript"),
    ],
)
def test_what_gives_no_voice_is_refused_with_its_reason(
    voices: httpx.Client, data: bytes, words: dict[str, str], status: int, code: str, param: str
) -> None:
    answer = send(voices, data, **words)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert answer.status_code != 400 or error["message"]


def test_a_name_or_a_recording_that_is_there_is_a_conflict(voices: httpx.Client) -> None:
    assert send(voices, recording()).status_code == 200
    for data, words, param in (
        (recording(seed=1), {}, "name"),
        (recording(), {"name": "en-Bob_man"}, "audio_sample"),
    ):
        answer = send(voices, data, **words)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "duplicate_voice")
        assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize("voice", ["en-Eve_woman", "..", "%2e%2e", "a%00b", "EN-ALICE_WOMAN", "consents"])
def test_a_voice_that_is_not_there_is_a_404(voices: httpx.Client, voice: str) -> None:
    answer = voices.delete(f"{VOICES}/{voice}")
    assert answer.status_code in (404, 405)
    for call in (voices.get, voices.delete):
        assert call(f"{CONSENTS}/{voice}").status_code in (404, 405)


def test_a_voice_of_the_engine_itself_is_not_deleted(voices: httpx.Client) -> None:
    answer = voices.delete(f"{VOICES}/middle")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "voice_not_found")


def test_more_bytes_than_a_recording_may_have_are_a_413(voices: httpx.Client) -> None:
    answer = send(voices, bytes(500_000))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    answer = voices.post(CONSENTS, files={"recording": ("a.wav", bytes(500_000))}, data={"name": "x"})
    assert answer.status_code == 413


def test_a_page_of_another_origin_cannot_send_a_form(voices: httpx.Client) -> None:
    form: Any = {"files": {"audio_sample": ("a.wav", recording())}, "data": WORDS}
    answer = voices.post(VOICES, headers={"origin": "https://evil.example"}, **form)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


def test_a_server_without_a_library_says_so(http: httpx.Client) -> None:
    answers = [
        send(http, recording()),
        http.delete(f"{VOICES}/en-Alice_woman"),
        http.get(CONSENTS),
        http.get(f"{CONSENTS}/cons_1234"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_references")
