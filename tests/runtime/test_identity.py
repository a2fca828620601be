"""Weights and voices are known by what is in their files."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ttsops.engines import registry
from ttsops.runtime.identity import file_identity, voice_identity, weights_identity
from ttsops.voices.library import VoiceLibrary
from voices.speech_like import babble, wav_bytes

pytestmark = pytest.mark.unit

F5 = registry.card("f5")
VIBEVOICE = registry.card("vibevoice")
REALTIME = registry.card("vibevoice-realtime")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(np.arange(3 << 20, dtype=np.uint8).tobytes())
    return folder


def test_the_same_files_elsewhere_are_the_same_weights(model: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(model, tmp_path / "elsewhere")
    (moved / "README.md").write_text("not what a model is made of")
    assert weights_identity(REALTIME, {"model": str(moved)}) == weights_identity(
        REALTIME, {"model": str(model)}
    )


def test_other_numbers_of_the_same_size_are_other_weights(model: Path) -> None:
    before = weights_identity(REALTIME, {"model": str(model)})
    numbers = np.random.default_rng(0).integers(0, 256, 3 << 20, dtype=np.uint8)
    (model / "model.safetensors").write_bytes(numbers.tobytes())
    assert weights_identity(REALTIME, {"model": str(model)}) != before


def test_a_table_counts_to_its_last_byte(model: Path) -> None:
    before = weights_identity(REALTIME, {"model": str(model)})
    (model / "config.json").write_text("[]")
    assert weights_identity(REALTIME, {"model": str(model)}) != before


def test_of_one_checkpoint_its_neighbours_do_not_count_but_its_vocabulary_does(model: Path) -> None:
    options = {"model": str(model / "model.safetensors")}
    before = weights_identity(F5, options)
    (model / "model_2.safetensors").write_bytes(b"another training")
    assert weights_identity(F5, options) == before
    (model / "vocab.txt").write_text("a\nb\n")
    assert weights_identity(F5, options) != before


def test_what_is_not_there_is_missing_and_what_is_not_named_is_not_mentioned(tmp_path: Path) -> None:
    assert weights_identity(F5, {"model": str(tmp_path / "nothing")}) == {"model": "missing"}
    assert weights_identity(F5, {}) == {}
    assert weights_identity(registry.card("tone"), {}) == {}


def test_a_voice_is_known_by_its_file(model: Path) -> None:
    voices = model / "voices"
    voices.mkdir()
    (voices / "en-Emma_woman.safetensors").write_bytes(b"one")
    options = {"model": str(model)}
    before = voice_identity(REALTIME, options, "en-Emma_woman")
    assert before == file_identity(voices / "en-Emma_woman.safetensors")
    (voices / "en-Emma_woman.safetensors").write_bytes(b"another")
    assert voice_identity(REALTIME, options, "en-Emma_woman") not in (before, "")


@pytest.mark.parametrize("voice", ["../model", "en-Nobody_man", "", "/etc/passwd"])
def test_a_name_that_is_no_voice_there_reads_nothing(model: Path, voice: str) -> None:
    (model / "voices").mkdir()
    assert voice_identity(REALTIME, {"model": str(model)}, voice) == ""
    assert voice_identity(replace(F5), {"voices": str(model / "voices")}, voice) == ""


def test_an_override_is_what_engines_with_a_transcript_speak_from_and_no_others(tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "voices")
    alice = "en-Alice_woman"
    library.add(alice, wav_bytes(babble(3.0, seed=1)), "Some words are said here.", consent="Alice agreed")
    options = {"voices": str(library.folder)}
    before = [voice_identity(card, options, alice) for card in (F5, VIBEVOICE)]
    library.set_override(alice, wav_bytes(babble(3.0, seed=2)), "Other words.", consent="Alice agreed")
    after = [voice_identity(card, options, alice) for card in (F5, VIBEVOICE)]
    assert after[0] not in (before[0], "")
    assert after[1] == before[1] != ""
