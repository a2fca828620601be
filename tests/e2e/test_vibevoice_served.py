"""Dialogues of recorded voices over HTTP: each listener hears what it would hear alone.

The model has small random weights: noise, but the noise of exactly this script, these voices and this seed.
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

ALICE, BOB, CARL = "en-Alice_woman", "en-Bob_man", "en-Carl_man"
CONSENT = "Recorded by themselves for these tests."
SCRIPT = "Speaker 1: Did you see the harbour?\nSpeaker 2: I did. Every boat was out."
WISHES: tuple[dict[str, Any], ...] = (
    {"input": SCRIPT, "seed": 1, "options": {"speakers": BOB}},
    {"input": "If it rains, take a coat and wait inside.", "seed": 2, "voice": BOB},
    {"input": SCRIPT, "seed": 3, "options": {"speakers": ALICE, "steps": 5}},
    {"input": "No.", "seed": 4, "options": {"cfg_scale": 1.0}},
)
ATOL = 4
"""Of 16-bit samples, between batches of different sizes: 1e-4 of full scale."""

Pcm = npt.NDArray[np.int16]


@pytest.fixture
def library(tmp_path: Path) -> VoiceLibrary:
    library = VoiceLibrary(tmp_path / "voices")
    for voice, seed in ((ALICE, 1), (BOB, 2)):
        library.add(voice, wav_bytes(babble(2.0, seed=seed)), consent=CONSENT)
    return library


@pytest.fixture
def settings(library: VoiceLibrary) -> str:
    return f"""
engine = "vibevoice"
[voices]
folder = "{library.folder}"
[engines.vibevoice]
device = "cpu"
[engines.vibevoice.options]
random_weights = "small"
max_positions = 1024
threads = 1
live = true
"""


async def hear(client: httpx.AsyncClient, wish: dict[str, Any]) -> Pcm:
    body = {"model": "vibevoice", "voice": ALICE, "response_format": "pcm"} | wish
    answer = await client.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2")


async def speak_and_add(url: str, library: VoiceLibrary) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        alone = [await hear(client, wish) for wish in WISHES]
        together = await asyncio.gather(*(hear(client, wish) for wish in WISHES))
        for wish, solo, shared in zip(WISHES, alone, together, strict=True):
            np.testing.assert_allclose(shared, solo, atol=ATOL, rtol=0, err_msg=str(wish))
            assert np.abs(solo).max() > 100, "silence would equal silence"

        body = {"model": "vibevoice", "voice": ALICE, "input": SCRIPT}
        for options, code in (
            ({}, "invalid_value"),
            ({"speakers": CARL}, "unknown_voice"),
            ({"speakers": "../../etc/passwd"}, "unknown_voice"),
        ):
            answer = await client.post("/v1/audio/speech", json=body | {"options": options})
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)

        library.add(CARL, wav_bytes(babble(2.0, seed=3)), consent=CONSENT)
        added = await hear(client, {"input": "No.", "seed": 4, "voice": CARL})
        assert len(added), "a voice that was added a moment ago, without a transcript"


def test_dialogues_are_heard_among_others_as_alone(
    start_server: StartServer, settings: str, library: VoiceLibrary
) -> None:
    server = start_server(settings)
    asyncio.run(speak_and_add(server.url, library))
