"""A folder of voices: what is in it is whole, whatever happens while it is changed."""

import json
from pathlib import Path

import numpy as np
import pytest
from voice_folder import ALICE, BOB, CONSENT, files, override, recording

from ttsops import errors
from ttsops.audio import decode_audio
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit

# ---- what is kept ----------------------------------------------------------------------


def test_a_voice_is_kept_with_all_that_is_known_of_it(library: VoiceLibrary) -> None:
    manifest = library.get(ALICE)
    assert (manifest.name, manifest.language, manifest.gender) == ("Alice", "en", "female")
    assert (manifest.licence, manifest.override) == ("CC0", None)
    kept = manifest.baseline
    assert kept is not None
    assert (kept.file, kept.transcript, kept.source_name) == ("baseline.wav", "Hello there. ", "alice.wav")
    assert (kept.consent.who, kept.consent.statement) == ("Alice", CONSENT)
    assert kept.consent.recorded_at.endswith("+00:00")
    assert kept.prepared_by.startswith("tts-ops ")
    names = ["baseline.wav", "recording.wav", "voice.json"]
    assert sorted(files(library)) == [f"{ALICE}/{name}" for name in names]
    assert json.loads(files(library)[f"{ALICE}/voice.json"])["id"] == ALICE
    assert [(voice.id, voice.name) for voice in library.voices()] == [(ALICE, "Alice")]


def test_a_reference_comes_back_as_it_was_prepared(library: VoiceLibrary) -> None:
    reference = library.reference(ALICE)
    active = library.get(ALICE).active
    assert active is not None
    assert reference.sha256 == active.sha256
    heard, rate = decode_audio(library.audio(ALICE))
    assert rate == 16_000
    np.testing.assert_array_equal(heard, reference.pcm / np.float32(32768))


def test_an_override_is_spoken_from_until_it_is_taken_back(library: VoiceLibrary) -> None:
    before = library.reference(ALICE).sha256
    override(library)
    assert library.reference(ALICE).transcript == "Another text. "
    assert library.reference(ALICE).sha256 != before
    assert library.reference(ALICE, "baseline").sha256 == before
    assert library.audio(ALICE, "override") == library.audio(ALICE)
    override(library, seed=2)
    assert len(files(library)) == 4, "the first override is gone"
    assert library.reset_override(ALICE).override is None
    assert library.reference(ALICE).sha256 == before
    assert len(files(library)) == 3
    with pytest.raises(errors.NoOverride):
        library.audio(ALICE, "override")


def test_a_voice_that_is_removed_leaves_nothing(library: VoiceLibrary) -> None:
    library.remove(ALICE)
    assert (library.ids(), files(library)) == ((), {})
    for refused in (library.get, library.generation, library.remove, library.reset_override, library.audio):
        with pytest.raises(errors.VoiceNotFound):
            refused(ALICE)


def test_a_folder_that_is_not_there_has_no_voices(tmp_path: Path) -> None:
    assert VoiceLibrary(tmp_path / "nowhere").ids() == ()
    assert not (tmp_path / "nowhere").exists()


# ---- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    "voice_id", ["", "..", "../en-Eve_woman", "en-Eve_woman/..", "en-Eve", "Eve_woman", "en-Eve_woman\n",
                 "en-Eve_woman\0", "EN-Eve_woman", "en-" + "E" * 41 + "_woman", "en-Ève_woman", ".draft-1"],
)  # fmt: skip
def test_a_name_that_could_be_a_path_is_no_id(library: VoiceLibrary, voice_id: str) -> None:
    before = files(library)
    with pytest.raises(errors.InvalidValue, match="cannot be the id"):
        library.add(voice_id, recording(5), "Text.", consent=CONSENT)
    for look_up in (library.get, library.audio, library.generation, library.remove):
        with pytest.raises(errors.VoiceNotFound):
            look_up(voice_id)
    assert files(library) == before


@pytest.mark.parametrize("consent", ["", " \n"])
def test_without_consent_nothing_is_kept(library: VoiceLibrary, consent: str) -> None:
    with pytest.raises(errors.NoConsent):
        library.add(BOB, recording(1), "Text.", consent=consent)
    with pytest.raises(errors.NoConsent):
        library.set_override(ALICE, recording(1), "Text.", consent=consent)
    assert library.ids() == (ALICE,)


@pytest.mark.parametrize("voice_id", [ALICE, "en-ALICE_woman"])
def test_a_voice_is_not_replaced_by_another_of_its_name(library: VoiceLibrary, voice_id: str) -> None:
    with pytest.raises(errors.DuplicateVoice, match=ALICE):
        library.add(voice_id, recording(1), "Text.", consent=CONSENT)


def test_a_recording_that_is_there_is_refused_by_the_name_of_its_voice(library: VoiceLibrary) -> None:
    override(library)
    for seed, text in ((0, "Hello there."), (1, "Another text.")):
        with pytest.raises(errors.DuplicateVoice, match=f"`{ALICE}` has this recording"):
            library.add(BOB, recording(seed), text, consent=CONSENT)
    library.add(BOB, recording(2), "Text.", consent=CONSENT)
    with pytest.raises(errors.DuplicateVoice, match=BOB):
        library.set_override(ALICE, recording(2), "Text.", consent=CONSENT)


def test_what_cannot_be_read_is_left_out_and_harms_no_other(library: VoiceLibrary) -> None:
    library.add(BOB, recording(1), "Text.", consent=CONSENT)
    (library.folder / ALICE / "voice.json").write_text('{"id": "en-Alice_woman"')
    (library.folder / "fr-Zoe_woman").mkdir()
    assert [voice.id for voice in library.voices()] == [BOB]
    with pytest.raises(errors.AudioError, match="cannot be read"):
        library.get(ALICE)
    library.add("en-Carl_man", recording(2), "Text.", consent=CONSENT)


@pytest.mark.parametrize("file", ["../../secret.wav", "/etc/passwd", "override-1.wav", "voice.json"])
def test_a_manifest_cannot_point_outside(library: VoiceLibrary, file: str) -> None:
    path = library.folder / ALICE / "voice.json"
    manifest = json.loads(path.read_text())
    manifest["baseline"]["file"] = file
    path.write_text(json.dumps(manifest))
    with pytest.raises(errors.AudioError):
        library.audio(ALICE)


def test_a_recording_that_was_changed_is_not_spoken_from(library: VoiceLibrary) -> None:
    (library.folder / ALICE / "baseline.wav").write_bytes(recording(7))
    with pytest.raises(errors.AudioError, match="changed or damaged"):
        library.reference(ALICE)
