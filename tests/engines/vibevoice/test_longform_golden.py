"""The engine's own code against recordings of the reference implementations, fp32."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines.vibevoice.golden import check_case
from ttsops.errors import EngineUnavailable, InvalidValue

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden" / "vibevoice_longform"
CASES = sorted(path.parent for path in GOLDEN.glob("*/meta.json"))
TABLES = GOLDEN / "_components"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy to be broken."""
    return Path(shutil.copytree(GOLDEN / "one_speaker_max_length", tmp_path / "renamed"))


def wrong(folder: Path) -> set[str]:
    return {one.name for one in check_case(folder) if not one.ok}


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_every_tensor_is_within_its_tolerance(folder: Path) -> None:
    found = check_case(folder)
    recorded = load_file(folder / "outputs.safetensors")
    assert {one.name for one in found if not one.name.startswith("level.")} == recorded.keys()
    far = [f"{one.name}: {one.max_abs_diff:.2g} > {one.tolerance:g}" for one in found if not one.ok]
    assert not far


def test_there_are_cases() -> None:
    assert len(CASES) == 6


def test_every_table_is_within_its_tolerance() -> None:
    found = check_case(TABLES)
    recorded = json.loads((TABLES / "prompt_strings.json").read_text())["cases"]
    scripts = {one.name.rpartition(": ")[0] for one in found if ": " in one.name}
    assert scripts == {one["name"] for one in recorded}
    solver = {name for name in load_file(TABLES / "dpm_solver.safetensors") if "_" in name}
    assert {one.name for one in found if ": " not in one.name} == solver
    assert not [one.name for one in found if not one.ok]


def test_a_wrong_recording_is_found(case: Path) -> None:
    outputs = load_file(case / "outputs.safetensors")
    outputs["audio"][0, 5000] += 0.001
    outputs["tokens"][-1] = 4
    outputs["control_logits"] = outputs["control_logits"][:-1]
    outputs["unheard_of"] = torch.zeros(1)
    save_file(outputs, case / "outputs.safetensors")
    assert wrong(case) == {"audio", "tokens", "control_logits", "unheard_of"}


def test_a_wrong_table_is_found(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TABLES, tmp_path / "tables"))
    tree = json.loads((folder / "prompt_strings.json").read_text())
    tree["cases"][1]["prompt"] = tree["cases"][1]["prompt"].replace("Hi!", "Hi.")
    (folder / "prompt_strings.json").write_text(json.dumps(tree))
    solver = load_file(folder / "dpm_solver.safetensors")
    solver["coef_10"][3, 4] += 1e-3
    save_file(solver, folder / "dpm_solver.safetensors")
    assert wrong(folder) == {"two speakers multi turn: prompt", "coef_10"}


def test_the_noise_of_voices_is_used_where_it_was_recorded(case: Path) -> None:
    inputs = load_file(case / "inputs.safetensors")
    without = {name: tensor for name, tensor in inputs.items() if not name.startswith("vae_")}
    save_file(without, case / "inputs.safetensors")
    found = {one.name: one for one in check_case(case)}
    assert found["prompt_latents_mean"].ok
    assert not found["prompt_latents_scaled"].ok
    assert not found["audio"].ok


@pytest.mark.parametrize(("floor", "tolerance"), [(3.1e-4, 2e-3), (2e-5, 1e-4), (None, 1e-4)])
def test_the_tolerance_is_wide_where_the_references_differ_themselves(
    case: Path, floor: float | None, tolerance: float
) -> None:
    meta = json.loads((case / "meta.json").read_text())
    meta["original_community_code"] = None if floor is None else {"max_abs_diff_vs_outputs": {"audio": floor}}
    (case / "meta.json").write_text(json.dumps(meta))
    found = {one.name: one for one in check_case(case)}
    assert found["audio"].tolerance == tolerance
    assert found["tokens"].tolerance == 0


def test_a_dialogue_that_goes_on_after_its_recording_fails_the_comparison(case: Path) -> None:
    inputs = load_file(case / "inputs.safetensors")
    save_file(inputs | {"diffusion_noise": inputs["diffusion_noise"][:3]}, case / "inputs.safetensors")
    assert {"audio", "latents"} <= wrong(case)


def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_its_name(case: Path) -> None:
    weights = load_file(case / "model.safetensors")
    del weights["model.multi_modal_projector.act.weight"]
    save_file(weights, case / "model.safetensors")
    with pytest.raises(EngineUnavailable, match=r"1 missing: model\.multi_modal_projector\.act\.weight"):
        check_case(case)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no case of VibeVoice"):
        check_case(tmp_path)
