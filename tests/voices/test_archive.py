"""A voice as one file: complete, the same every time, and checked like a stranger's when it comes back."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from voice_folder import ALICE, CONSENT, files, override, recording

from ttsops import errors
from ttsops.voices.archive import MAX_FILE_BYTES, export_voice, import_voice
from ttsops.voices.consents import ConsentBook
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit


@pytest.fixture
def elsewhere(tmp_path: Path) -> VoiceLibrary:
    return VoiceLibrary(tmp_path / "elsewhere")


def repacked(packed: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_a_voice_comes_back_as_it_was(library: VoiceLibrary, elsewhere: VoiceLibrary) -> None:
    override(library)
    packed = export_voice(library, ALICE)
    assert packed == export_voice(library, ALICE), "the same voice gives the same bytes"
    assert import_voice(elsewhere, packed) == library.get(ALICE)
    assert files(elsewhere) == files(library)


def test_a_recorded_consent_travels_along(library: VoiceLibrary, elsewhere: VoiceLibrary) -> None:
    book = ConsentBook(library.folder)
    given = book.add("Bob", "en-GB", recording(7))
    library.add("en-Bob_man", recording(8), consent=given.for_voice(), consent_recording=recording(7))
    import_voice(elsewhere, export_voice(library, "en-Bob_man"))
    assert elsewhere.file("en-Bob_man", "consent.audio") == recording(7)
    assert elsewhere.get("en-Bob_man").consent.id == given.id


def test_it_is_not_imported_over_what_is_there(library: VoiceLibrary, elsewhere: VoiceLibrary) -> None:
    packed = export_voice(library, ALICE)
    with pytest.raises(errors.DuplicateVoice):
        import_voice(library, packed)
    elsewhere.add("en-Other_woman", recording(), "Hello there", consent=CONSENT)
    with pytest.raises(errors.DuplicateVoice, match="en-Other_woman"):
        import_voice(elsewhere, packed)


def edit_manifest(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["voice.json"] = json.dumps(json.loads(members["voice.json"]) | changes).encode()

    return change


def swap_audio(members: dict[str, bytes]) -> None:
    data = bytearray(members["recording.wav"])
    data[1000] ^= 1
    members["recording.wav"] = bytes(data)


def leave_out(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.pop(name) and None


def blow_up(members: dict[str, bytes]) -> None:
    members["recording.wav"] = bytes(MAX_FILE_BYTES + 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (swap_audio, "changed or damaged"),
        (leave_out("recording.wav"), "recording.wav"),
        (leave_out("voice.json"), "voice.json"),
        (blow_up, "larger than"),
        (edit_manifest(name="\x1b[2JEve"), "control characters"),
        (edit_manifest(id="../../etc"), "cannot be the id"),
        (edit_manifest(id="en-Alice_woman/../x"), "cannot be the id"),
        (edit_manifest(format=99), "format 99"),
        (edit_manifest(recording=None, baseline=None), "no recording"),
        (edit_manifest(baseline={"file": "../../etc/passwd"}), "cannot be read"),
    ],
)
def test_what_was_tampered_with_is_refused_and_nothing_is_kept(
    library: VoiceLibrary, elsewhere: VoiceLibrary, change: Callable[[dict[str, bytes]], None], says: str
) -> None:
    packed = repacked(export_voice(library, ALICE), change)
    with pytest.raises(errors.BadReference, match=says) as caught:
        import_voice(elsewhere, packed)
    assert caught.value.code == "bad_reference"
    assert files(elsewhere) == {}


def test_what_else_is_in_the_file_is_left_there(library: VoiceLibrary, elsewhere: VoiceLibrary) -> None:
    packed = repacked(export_voice(library, ALICE), lambda members: members.update({"../evil": b"x"}))
    import_voice(elsewhere, packed)
    assert files(elsewhere) == files(library)
    assert not (elsewhere.folder.parent / "evil").exists()


@pytest.mark.parametrize("packed", [b"", b"PK\x03\x04 no", b"RIFF", bytes(1000)])
def test_what_is_no_such_file_is_refused(elsewhere: VoiceLibrary, packed: bytes) -> None:
    with pytest.raises(errors.BadReference):
        import_voice(elsewhere, packed)


def test_damage_anywhere_is_refused_or_harmless(library: VoiceLibrary, elsewhere: VoiceLibrary) -> None:
    packed = export_voice(library, ALICE)
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(packed)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        try:
            import_voice(elsewhere, bytes(damaged))
        except errors.BadReference:
            assert elsewhere.ids() == ()
        else:
            assert elsewhere.reference(ALICE).sha256 == library.reference(ALICE).sha256
            elsewhere.remove(ALICE)
