"""A folder of voices with one voice in it, for tests."""

from __future__ import annotations

from speech_like import babble, wav_bytes

from ttsops.voices.library import VoiceLibrary

CONSENT = "Alice agreed on 2026-11-01"
ALICE, BOB = "en-Alice_woman", "en-Bob_man"


def recording(seed: int = 0) -> bytes:
    return wav_bytes(babble(3.0, rate=16_000, seed=seed), 16_000)


def files(library: VoiceLibrary) -> dict[str, bytes]:
    return {
        str(path.relative_to(library.folder)): path.read_bytes()
        for path in library.folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def override(library: VoiceLibrary, seed: int = 1) -> None:
    library.set_override(ALICE, recording(seed), "Another text.", consent=CONSENT)
