"""A voice need not suit every engine: what it lacks is said, and what it is made from is kept anyway."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from speech_like import babble, talk, wav_bytes
from test_library_crashes import ENVIRONMENT
from voice_folder import ALICE, BOB, CONSENT, files, override, recording

from ttsops import errors
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.recording import recording_samples
from ttsops.voices.suits import unsuited, wants_reference

pytestmark = pytest.mark.unit


def test_a_recording_without_a_transcript_is_a_voice_for_other_engines(library: VoiceLibrary) -> None:
    manifest = library.add(BOB, recording(3), consent=CONSENT)
    assert (manifest.baseline, manifest.no_reference_code) == (None, "no_transcript")
    assert "is not written" in unsuited(manifest)["f5"]
    assert unsuited(manifest)["vibevoice"] == ""
    assert BOB in library.ids()
    assert BOB not in [voice.id for voice in library.voices()], "an engine that wants a transcript"
    with pytest.raises(errors.NoOverride, match="is not written"):
        library.reference(BOB)
    assert len(library.recording(BOB)) == pytest.approx(3.0 * 24_000, rel=0.05)


@pytest.mark.parametrize("seconds", [0.6, 1.5])
def test_a_short_recording_is_no_reference_and_still_a_voice(library: VoiceLibrary, seconds: float) -> None:
    data = wav_bytes(babble(seconds, seed=4))
    manifest = library.add(BOB, data, "Yes.", consent=CONSENT)
    assert manifest.no_reference_code == "short_reference"
    with pytest.raises(errors.ShortReference):
        library.add("en-Carl_man", data, "Yes.", consent=CONSENT, needs_reference=True)
    assert library.ids() == (ALICE, BOB)


def test_a_reference_given_later_makes_it_speak(library: VoiceLibrary) -> None:
    library.add(BOB, recording(3), consent=CONSENT)
    library.set_override(BOB, recording(4), "Some words.", consent=CONSENT)
    assert unsuited(library.get(BOB))["f5"] == ""
    assert BOB in [voice.id for voice in library.voices()]
    library.reset_override(BOB)
    assert BOB not in [voice.id for voice in library.voices()]


def test_an_engine_that_is_not_known_wants_a_transcript() -> None:
    assert wants_reference("f5")
    assert wants_reference("some-plugin")
    assert not wants_reference("vibevoice")


def test_the_same_recording_is_one_voice_whatever_is_said_about_it(library: VoiceLibrary) -> None:
    for transcript in ("Hello there", "Something else.", ""):
        with pytest.raises(errors.DuplicateVoice, match=ALICE):
            library.add(BOB, recording(), transcript, consent=CONSENT)


def test_every_change_is_another_mark(library: VoiceLibrary) -> None:
    marks = [library.mark()]
    assert library.mark() == marks[0], "reading changes nothing"
    library.add(BOB, recording(9), consent=CONSENT)
    marks.append(library.mark())
    override(library)
    marks.append(library.mark())
    library.reset_override(ALICE)
    marks.append(library.mark())
    library.remove(BOB)
    marks.append(library.mark())
    assert marks == sorted(set(marks))
    assert VoiceLibrary(library.folder / "nowhere").mark() == 0


def test_a_damaged_recording_is_not_spoken_from(library: VoiceLibrary) -> None:
    path = library.folder / ALICE / "recording.wav"
    data = bytearray(path.read_bytes())
    data[2_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(errors.AudioError, match="changed or damaged"):
        library.recording(ALICE)


def test_a_voice_of_the_first_format_can_be_spoken_and_has_a_recording(library: VoiceLibrary) -> None:
    """As it was written before there was a recording for every engine."""
    path = library.folder / ALICE / "voice.json"
    facts = json.loads(path.read_text()) | {"format": 1}
    for name in ("recording", "no_reference", "no_reference_code"):
        del facts[name]
    path.write_text(json.dumps(facts))
    (library.folder / ALICE / "recording.wav").unlink()
    assert library.get(ALICE).recording is None
    assert library.get(ALICE).consent.statement == CONSENT
    np.testing.assert_array_equal(library.recording(ALICE), library.reference(ALICE).samples)


def test_the_quality_is_kept_with_the_voice(library: VoiceLibrary) -> None:
    noisy = talk(4.0) + np.random.default_rng(0).normal(0, 0.1, 96_000).astype(np.float32)
    manifest = library.add(BOB, wav_bytes(noisy), consent=CONSENT)
    assert manifest.recording is not None
    assert [finding.code for finding in manifest.recording.quality.findings] == ["noisy"]
    assert library.get(BOB) == manifest
    assert np.abs(recording_samples(np.zeros(3, np.int16))).max() == 0


IMPORT = """
import sys
from speech_like import babble, wav_bytes
from ttsops.errors import DuplicateVoice
from ttsops.voices.library import VoiceLibrary

library = VoiceLibrary(sys.argv[1])
for seed in range(6):
    try:
        library.add(f"en-V{seed}_man", wav_bytes(babble(1.0, seed=seed)), consent="They agreed")
        print("made", seed)
    except DuplicateVoice:
        print("refused", seed)
"""


def test_of_several_importers_one_makes_each_voice(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    command = [sys.executable, "-c", IMPORT, str(folder)]
    importers = [
        subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = "".join(one.communicate(timeout=60)[0] for one in importers).split("\n")
    assert [one.returncode for one in importers] == [0, 0, 0]
    assert sorted(line for line in said if line.startswith("made")) == [f"made {seed}" for seed in range(6)]
    library = VoiceLibrary(folder)
    assert len(library.ids()) == 6
    for voice_id in library.ids():
        library.recording(voice_id)


KILLED = IMPORT.replace("library = ", "print('ready', flush=True)\nlibrary = ", 1)


def test_an_importer_that_is_killed_leaves_whole_voices_only(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    for delay in (0.0, 0.02, 0.05, 0.1):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        ) as importer:
            assert importer.stdout is not None
            importer.stdout.readline()
            time.sleep(delay)
            importer.kill()
        library = VoiceLibrary(folder)
        for voice_id in library.ids():
            library.recording(voice_id)
    library.add("en-Last_man", wav_bytes(babble(1.0, seed=99)), consent="They agreed")
    leftovers = [name for name in files(library) if name.startswith((".draft", ".gone"))]
    assert leftovers == []
