"""A voice that is made over HTTP is spoken by a running engine at once, and no more once it is deleted.

The engine is `f5` with small random weights: noise, but the noise of this voice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from e2e.conftest import RunningServer, StartServer
from ttsops.voices.library import VoiceLibrary
from voices.speech_like import babble, wav_bytes

pytestmark = pytest.mark.server

WORDS = "Some words are said here."


def settings(folder: Path) -> str:
    return f"""
engine = "f5"
[voices]
folder = "{folder}"
[engines.f5]
device = "cpu"
[engines.f5.options]
random_weights = "small"
threads = 1
"""


def ids(client: httpx.Client) -> list[str]:
    return [one["id"] for one in client.get("/v1/audio/voices").json()["data"]]


def speak(client: httpx.Client, voice: str) -> httpx.Response:
    body: dict[str, Any] = {"input": "Hello there.", "voice": voice, "response_format": "pcm", "seed": 1}
    return client.post("/v1/audio/speech", json=body)


def make_and_speak(server: RunningServer, other_than: list[str]) -> None:
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as sdk,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        assert ids(client) == other_than
        assert speak(client, "en-Carol_woman").json()["error"]["code"] == "unknown_voice"

        consent = sdk.audio.voice_consents.create(
            name="Carol", language="en-GB", recording=("yes.wav", wav_bytes(babble(2.5, seed=8)))
        )
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.audio.voices.create(
                name="en-Carol_woman", consent=consent.id, audio_sample=wav_bytes(babble(3.0, seed=5))
            )
        assert caught.value.code == "no_transcript", "no engine here could speak as it"

        made = sdk.audio.voices.create(
            name="en-Carol_woman",
            consent=consent.id,
            audio_sample=("carol.wav", wav_bytes(babble(3.0, seed=5))),
            extra_body={"transcript": WORDS},
        )
        assert made.id in ids(client)
        spoken = speak(client, made.id)
        assert (spoken.status_code, spoken.headers["x-ttsops-voice"]) == (200, made.id)
        assert len(spoken.content) > 10_000

        for one in other_than:
            assert speak(client, one).content != spoken.content

        sdk.audio.voices.delete(made.id)
        assert made.id not in ids(client)
        assert speak(client, made.id).json()["error"]["code"] == "unknown_voice"


def test_a_voice_is_spoken_as_soon_as_it_is_made(start_server: StartServer, tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "voices")
    library.add("en-Alice_woman", wav_bytes(babble(3.0, seed=1)), WORDS, consent="For these tests.")
    make_and_speak(start_server(settings(library.folder)), ["en-Alice_woman"])


def test_the_first_voice_of_an_empty_folder_is_spoken_too(start_server: StartServer, tmp_path: Path) -> None:
    """Without weights the engine hums until somebody is recorded."""
    make_and_speak(start_server(settings(tmp_path / "nothing")), ["en-Low_none", "en-High_none"])
