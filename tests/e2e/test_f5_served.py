"""Four readers of one flow model over HTTP, and a voice that is given another reference meanwhile.

The model has small random weights: noise, but the noise of exactly this text, voice and seed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from e2e.conftest import StartServer
from ttsops.voices.library import VoiceLibrary
from voices.speech_like import babble, wav_bytes

pytestmark = pytest.mark.server

ALICE, BOB = "en-Alice_woman", "en-Bob_man"
CONSENT = "Recorded by themselves for these tests."
WORDS = {"transcript": "Some words are said here.", "consent": CONSENT}
WISHES: tuple[dict[str, Any], ...] = (
    {"input": "The first bus leaves at seven, and the second one an hour later.", "seed": 1},
    {"input": "No.", "seed": 2, "voice": BOB, "options": {"nfe": 12}},
    {"input": "If it rains, take a coat and wait inside.", "seed": 3, "options": {"cfg_strength": 0}},
    {"input": "Bread is best on the day it is made.", "seed": 4, "voice": BOB, "speed": 1.5},
)

Pcm = npt.NDArray[np.int16]


@pytest.fixture
def settings(tmp_path: Path) -> str:
    library = VoiceLibrary(tmp_path / "voices")
    for voice, seed in ((ALICE, 1), (BOB, 2)):
        recording = wav_bytes(babble(3.0, seed=seed))
        library.add(voice, recording, WORDS["transcript"], consent=CONSENT)
    return f"""
engine = "f5"
[voices]
folder = "{library.folder}"
[engines.f5]
device = "cpu"
[engines.f5.options]
random_weights = "small"
threads = 1
"""


async def hear(client: httpx.AsyncClient, wish: dict[str, Any]) -> Pcm:
    body = {"model": "f5", "voice": ALICE, "response_format": "pcm"} | wish
    answer = await client.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2")


async def speak_and_override(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        alone = [await hear(client, wish) for wish in WISHES]
        together = await asyncio.gather(*(hear(client, wish) for wish in WISHES))
        for wish, solo, shared in zip(WISHES, alone, together, strict=True):
            np.testing.assert_array_equal(shared, solo, f"{wish} heard something else among others")
            assert np.abs(solo).max() > 100, "silence would equal silence"

        path = f"/api/voices/{ALICE}/reference"
        other = wav_bytes(babble(2.5, seed=9))
        answer = await client.post(path, files={"file": ("other.wav", other)}, data=WORDS)
        assert answer.status_code == 200, answer.text
        overridden = await hear(client, WISHES[0])
        assert len(overridden) != len(alone[0]), "the next utterance speaks from the new reference"
        np.testing.assert_array_equal(await hear(client, WISHES[1]), alone[1], "other voices do not")

        silent = await client.post(
            path, files={"file": ("no.wav", wav_bytes(babble(3, level=0)))}, data=WORDS
        )
        assert (silent.status_code, silent.json()["error"]["code"]) == (400, "silent_reference")
        np.testing.assert_array_equal(await hear(client, WISHES[0]), overridden, "a refusal changes nothing")

        assert (await client.delete(path)).status_code == 200
        np.testing.assert_array_equal(await hear(client, WISHES[0]), alone[0])


def test_readers_hear_their_own_and_an_override_counts_at_once(
    start_server: StartServer, settings: str
) -> None:
    server = start_server(settings)
    asyncio.run(speak_and_override(server.url))


def test_what_the_engine_cannot_do_is_refused_before_it_is_tried(
    start_server: StartServer, settings: str
) -> None:
    server = start_server(settings.replace("threads = 1", 'threads = 1\nonly_nfe = "7,16"'))
    with httpx.Client(base_url=server.url, timeout=60) as client:
        body = {"model": "f5", "voice": ALICE, "input": "Hello there."}
        for wish, code in (
            ({"options": {"nfe": 4}}, "invalid_value"),
            ({"options": {"nfe": 8}}, "invalid_value"),
            ({"voice": "en-Nobody_man"}, "unknown_voice"),
            ({"options": {"steps": 7}}, "unknown_option"),
        ):
            answer = client.post("/v1/audio/speech", json=body | wish)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert client.post("/v1/audio/speech", json=body).status_code == 200
