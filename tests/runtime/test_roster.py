"""Whom an engine can speak as follows the library, in one `stat`, and never loses the engine's own voices."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from ttsops.runtime.roster import Roster
from ttsops.speech import Voice
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit

HUM = Voice("en-Low_none", "Low", "en")


def recording(seed: int) -> bytes:
    noise = np.random.default_rng(seed).uniform(-0.2, 0.2, 3 * 16_000)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 16_000, len(noise), "NONE", ""))
        wav.writeframes((noise * 32767).astype("<i2").tobytes())
    return file.getvalue()


def ids(roster: Roster) -> list[str]:
    return [voice.id for voice in roster.voices]


def test_an_engine_without_recordings_has_the_voices_it_says() -> None:
    roster = Roster(None)
    assert roster.voices == ()
    roster.tell((HUM,))
    assert roster.voices == (HUM,)


def test_it_follows_every_change_of_the_library(tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "voices")
    library.add("en-Alice_woman", recording(0), "Hello.", consent="Alice agreed")
    roster = Roster(library.folder)
    assert roster.voices == (), "the engine loads"
    roster.tell((HUM, *library.voices()))
    assert ids(roster) == ["en-Low_none", "en-Alice_woman"]
    library.add("en-Bob_man", recording(1), "Hello.", consent="Bob agreed")
    assert ids(roster) == ["en-Low_none", "en-Alice_woman", "en-Bob_man"]
    library.add("en-Carl_man", recording(2), consent="Carl agreed")
    assert "en-Carl_man" not in ids(roster), "there is no transcript of it"
    library.set_override("en-Carl_man", recording(3), "Hello.", consent="Carl agreed")
    assert "en-Carl_man" in ids(roster)
    library.remove("en-Alice_woman")
    assert ids(roster) == ["en-Low_none", "en-Bob_man", "en-Carl_man"]


def test_an_engine_that_needs_no_transcript_has_all_of_them(tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "voices")
    library.add("en-Alice_woman", recording(0), consent="Alice agreed")
    for engine, expected in (("vibevoice", ["en-Alice_woman"]), ("f5", []), ("unheard of", [])):
        roster = Roster(library.folder, engine)
        roster.tell(())
        assert ids(roster) == expected


def test_nothing_is_read_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = VoiceLibrary(tmp_path / "voices")
    library.add("en-Alice_woman", recording(0), "Hello.", consent="Alice agreed")
    roster = Roster(library.folder)
    roster.tell(library.voices())
    assert ids(roster) == ["en-Alice_woman"]
    monkeypatch.setattr(VoiceLibrary, "manifests", lambda self: pytest.fail("read again"))
    assert ids(roster) == ["en-Alice_woman"]


def test_a_folder_that_comes_later_is_seen(tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "voices")
    roster = Roster(library.folder)
    roster.tell((HUM,))
    assert roster.voices == (HUM,)
    library.add("en-Alice_woman", recording(0), "Hello.", consent="Alice agreed")
    assert ids(roster) == ["en-Low_none", "en-Alice_woman"]
