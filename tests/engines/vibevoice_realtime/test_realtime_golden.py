"""The engine's own code against recordings of the reference implementation, fp32."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines.vibevoice_realtime.golden import check_case
from ttsops.errors import EngineUnavailable, InvalidValue

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden" / "vibevoice_realtime"
CASES = sorted(path.parent for path in GOLDEN.glob("*/meta.json"))


@pytest.fixture
def short_text(tmp_path: Path) -> Path:
    """A copy to be broken."""
    return Path(shutil.copytree(GOLDEN / "short_text", tmp_path / "renamed"))


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_every_tensor_is_within_its_tolerance(folder: Path) -> None:
    found = check_case(folder)
    recorded = load_file(folder / "outputs.safetensors")
    assert {one.name.removesuffix("[0]") for one in found} == recorded.keys()
    far = [f"{one.name}: {one.max_abs_diff:.2g} > {one.tolerance:g}" for one in found if not one.ok]
    assert not far


def test_there_are_cases() -> None:
    assert len(CASES) == 9


def test_a_case_is_known_by_its_content(short_text: Path) -> None:
    assert all(one.ok for one in check_case(short_text))


def test_a_wrong_recording_is_found(short_text: Path) -> None:
    outputs = load_file(short_text / "outputs.safetensors")
    outputs["waveform"][100] += 0.01
    outputs["eos_logit"] = outputs["eos_logit"][:-1]
    outputs["unheard_of"] = torch.zeros(1)
    save_file(outputs, short_text / "outputs.safetensors")
    wrong = {one.name for one in check_case(short_text) if not one.ok}
    assert wrong == {"waveform", "eos_logit", "unheard_of"}


def test_an_utterance_that_goes_on_after_its_recording_fails_the_comparison(short_text: Path) -> None:
    inputs = load_file(short_text / "inputs.safetensors")
    save_file(inputs | {"noise": inputs["noise"][:9]}, short_text / "inputs.safetensors")
    found = {one.name: one for one in check_case(short_text)}
    assert not found["waveform"].ok
    assert found["latent[0]"].ok


def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_its_name(short_text: Path) -> None:
    weights = load_file(short_text / "model.safetensors")
    del weights["tts_eos_classifier.fc1.bias"]
    save_file(weights, short_text / "model.safetensors")
    with pytest.raises(EngineUnavailable, match=r"1 missing: tts_eos_classifier\.fc1\.bias"):
        check_case(short_text)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no case of VibeVoice-Realtime"):
        check_case(tmp_path)
    for name in ("inputs", "outputs"):
        save_file({"mel": torch.zeros(1)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(InvalidValue, match="no known kind"):
        check_case(tmp_path)
