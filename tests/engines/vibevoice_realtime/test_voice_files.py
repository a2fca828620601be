"""Published voice prompts are read without running what they hold."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ttsops.engines.vibevoice_realtime.voice_import import import_voice, read_prompt
from ttsops.engines.vibevoice_realtime.voice_state import describe_voice, load_voices
from ttsops.errors import InvalidValue

pytestmark = pytest.mark.unit

VOICES = Path(__file__).parents[2] / "golden" / "vibevoice_realtime" / "voices"
MIKE = VOICES / "en-Mike_man.pt"
STRUCTURE = json.loads((VOICES / "structure.json").read_text())[MIKE.name]["entries"]


def sha256(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().view(torch.int16).numpy().tobytes()).hexdigest()


def test_every_tensor_is_the_published_one() -> None:
    state = read_prompt(MIKE)
    for name, tensor in (("lm", state.text), ("tts_lm", state.speech), ("neg_tts_lm", state.negative)):
        expected = STRUCTURE[name]
        assert tensor.dtype == torch.bfloat16
        assert [tensor.shape[0], *tensor.shape[2:]] == [expected["layers"], *expected["kv_shape"][1:]]
        assert sha256(tensor[0, 0]) == expected["key_cache.0.sha256"]
        assert sha256(tensor[-1, 1]) == expected["value_cache.last.sha256"]
    assert state.speech_hidden.shape == (896,)
    assert sha256(state.negative_hidden) == STRUCTURE["neg_tts_lm"]["last_hidden_state"]["sha256_le_bytes"]


def test_an_imported_voice_is_loaded_as_it_was(tmp_path: Path) -> None:
    manifest = import_voice(MIKE, tmp_path / "voices")
    written = json.loads(manifest.read_text())
    assert written["source"] == {
        "file": "en-Mike_man.pt",
        "sha256": "afb64b580fbc6fab09af04572bbbd2b3906ff8ed35a28731a90b8681e47bdc89",
    }
    assert (written["text_positions"], written["speech_positions"]) == (49, 148)
    loaded = load_voices(tmp_path / "voices")
    assert list(loaded) == ["en-Mike_man"]
    voice, state = loaded["en-Mike_man"]
    assert (voice.name, voice.language, voice.gender) == ("Mike", "en", "male")
    assert torch.equal(state.speech, read_prompt(MIKE).speech)


@pytest.mark.parametrize(
    ("stem", "language", "gender"),
    [
        ("in-Samuel_man", "en-IN", "male"),
        ("jp-Spk1_woman", "ja", "female"),
        ("de-Spk0_man", "de", "male"),
        ("my own recording", "", ""),
    ],
)
def test_a_file_name_says_who_speaks(stem: str, language: str, gender: str) -> None:
    voice = describe_voice(stem)
    assert (voice.id, voice.language, voice.gender) == (stem, language, gender)


def archive(path: Path, content: bytes, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("root/data.pkl", content)
        for name, data in entries.items():
            file.writestr(f"root/{name}", data)
    return path


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/should-never-exist",)


def test_code_in_a_voice_file_is_refused_and_not_run(tmp_path: Path) -> None:
    path = archive(tmp_path / "evil.pt", pickle.dumps({"lm": Evil()}, protocol=2))
    with pytest.raises(InvalidValue, match="system"):
        read_prompt(path)
    assert not Path("/tmp/should-never-exist").exists()


@pytest.mark.parametrize("name", ["builtins eval", "torch.serialization _load", "collections Counter"])
def test_only_six_names_are_known(tmp_path: Path, name: str) -> None:
    module, attribute = name.split()
    path = archive(tmp_path / "odd.pt", b"\x80\x02" + f"c{module}\n{attribute}\n.".encode())
    with pytest.raises(InvalidValue, match=attribute):
        read_prompt(path)


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path: Path) -> None:
    # GLOBAL _rebuild_tensor_v2, MARK (pid, 0, (10**9,), (0,)), REDUCE, by hand
    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    content = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + pid + b"K\x00J\x00\xca\x9a;\x85K\x00\x85tR."
    path = archive(tmp_path / "large.pt", content, **{"data/0": bytes(16)})
    with pytest.raises(InvalidValue, match="larger than its storage"):
        read_prompt(path)


def test_big_endian_numbers_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "big.pt", pickle.dumps({}, protocol=2), byteorder=b"big")
    with pytest.raises(InvalidValue, match="big-endian"):
        read_prompt(path)


@pytest.mark.parametrize(
    "content", [b"", b"not a zip", pickle.dumps({}), MIKE.read_bytes()[:5000], MIKE.read_bytes()[:-100]]
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pt"
    path.write_bytes(content)
    with pytest.raises(InvalidValue, match="no voice prompt"):
        read_prompt(path)


def test_a_prompt_without_a_part_names_it(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pickle.Pickler(buffer, protocol=2).dump({"tts_lm": 1})
    with pytest.raises(InvalidValue, match="`lm` is missing"):
        read_prompt(archive(tmp_path / "part.pt", buffer.getvalue()))


def test_a_manifest_without_its_tensors_is_named(tmp_path: Path) -> None:
    manifest = import_voice(MIKE, tmp_path)
    tensors = manifest.with_suffix(".safetensors")
    assert "speech" in load_file(tensors)
    tensors.unlink()
    with pytest.raises(InvalidValue, match=manifest.name):
        load_voices(tmp_path)


def test_an_empty_folder_has_no_voices(tmp_path: Path) -> None:
    assert load_voices(tmp_path) == {}
