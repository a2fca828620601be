"""`ttsops golden check`: agrees with the recordings, and is not fooled."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines import registry

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden" / "vibevoice_realtime"
SHORT = GOLDEN / "max_length_in_text"
SOLVER = GOLDEN / "unit_dpm_solver"

Ttsops = Callable[..., Any]


def copied(case: Path, to: Path) -> Path:
    return Path(shutil.copytree(case, to / "a folder of any name"))


def change(file: Path, name: str, how: Callable[[torch.Tensor], torch.Tensor]) -> None:
    tensors = load_file(file)
    tensors[name] = how(tensors[name]).contiguous()
    save_file(tensors, file)


def test_every_recorded_case_is_within_tolerance(ttsops: Ttsops) -> None:
    done = ttsops("golden", "check", GOLDEN)
    assert (done.code, "FAR" in done.out) == (0, False)
    assert "9 of 9 cases within tolerance" in done.err
    for case in GOLDEN.glob("*/meta.json"):
        assert f"{case.parent}: vibevoice-realtime" in done.out


def test_the_recordings_of_the_long_form_models_are_within_tolerance(ttsops: Ttsops) -> None:
    folder = GOLDEN.parent / "vibevoice_longform"
    done = ttsops("golden", "check", folder)
    assert (done.code, "FAR" in done.out) == (0, False)
    assert "7 of 7 cases within tolerance" in done.err
    for case in ("_components", "no_voice", "two_speakers_multiturn"):
        assert f"{folder / case}: vibevoice, " in done.out


@pytest.mark.parametrize("kept", ["dpm_solver", "prompt_strings"])
def test_tables_of_the_long_form_models_are_a_case_each_by_itself(
    ttsops: Ttsops, tmp_path: Path, kept: str
) -> None:
    for table in (GOLDEN.parent / "vibevoice_longform" / "_components").glob(f"{kept}.*"):
        shutil.copy(table, tmp_path)
    done = ttsops("golden", "check", tmp_path)
    assert (done.code, "FAR" in done.out) == (0, False)
    assert f"{tmp_path}: vibevoice, " in done.out


def test_a_line_has_the_difference_and_the_tolerance_of_each_tensor(ttsops: Ttsops) -> None:
    lines = ttsops("golden", "check", SOLVER).out.splitlines()
    recorded = load_file(SOLVER / "outputs.safetensors").keys()
    assert {line.split()[1] for line in lines[1:]} == recorded
    assert {line.split()[0] for line in lines[1:]} == {"ok"}
    assert all(float(line.split()[2]) <= float(line.split()[4]) for line in lines[1:])


def test_json_says_the_same(ttsops: Ttsops) -> None:
    (case,) = json.loads(ttsops("golden", "check", SOLVER, "--json").out)
    assert (case["engine"], case["ok"], case["failure"]) == ("vibevoice-realtime", True, "")
    assert all(one["max_abs_diff"] <= one["tolerance"] and one["ok"] for one in case["tensors"])


def test_one_wrong_number_in_a_recording_is_found_and_named(ttsops: Ttsops, tmp_path: Path) -> None:
    case = copied(SHORT, tmp_path)

    def bend(waveform: torch.Tensor) -> torch.Tensor:
        waveform[-7] += 0.01
        return waveform

    change(case / "outputs.safetensors", "waveform", bend)
    done = ttsops("golden", "check", case)
    assert done.code == 1
    assert "1 of 29 too far: waveform" in done.out
    assert "FAR waveform" in done.out
    assert "0.01 >  0.002" in done.out


def test_one_wrong_weight_is_found(ttsops: Ttsops, tmp_path: Path) -> None:
    case = copied(SHORT, tmp_path)

    def bend(weight: torch.Tensor) -> torch.Tensor:
        weight[0, 0] += 0.5
        return weight

    name = "model.tts_language_model.layers.0.self_attn.o_proj.weight"
    change(case / "model.safetensors", name, bend)
    done = ttsops("golden", "check", case, "--json")
    (facts,) = json.loads(done.out)
    far = {one["name"] for one in facts["tensors"] if not one["ok"]}
    assert done.code == 1
    assert {"tts_text_hidden.0", "waveform"} <= far
    assert "lm_hidden.0" not in far, "the layers below it are unchanged"


def test_a_tensor_of_another_shape_is_absent(ttsops: Ttsops, tmp_path: Path) -> None:
    case = copied(SOLVER, tmp_path)
    change(case / "outputs.safetensors", "betas", lambda betas: betas[:-1])
    done = ttsops("golden", "check", case)
    assert (done.code, "FAR betas" in done.out, "absent" in done.out) == (1, True, True)
    (facts,) = json.loads(ttsops("golden", "check", case, "--json").out)
    assert [one["max_abs_diff"] for one in facts["tensors"] if one["name"] == "betas"] == [None]


def test_a_checkpoint_the_engine_refuses_is_a_failure_not_an_outage(ttsops: Ttsops, tmp_path: Path) -> None:
    case = copied(SHORT, tmp_path)
    weights = load_file(case / "model.safetensors")
    del weights["tts_eos_classifier.fc1.bias"]
    save_file(weights, case / "model.safetensors")
    done = ttsops("golden", "check", case)
    assert (done.code, "tts_eos_classifier.fc1.bias" in done.err) == (1, True)


def test_a_bug_in_one_case_does_not_hide_the_others(ttsops: Ttsops, tmp_path: Path) -> None:
    case = copied(SOLVER, tmp_path)
    change(case / "inputs.safetensors", "ode.5.model_outputs", lambda outputs: outputs[:, :, :3])
    done = ttsops("golden", "check", case, SOLVER)
    assert done.code in (1, 2)
    assert "1 of 2 cases within tolerance" in done.err


@pytest.mark.parametrize(
    "content", [{}, {"meta.json": "{}"}, {"meta.json": "[1]"}, {"meta.json": "{"}, {"config.json": "{}"}]
)
def test_a_folder_that_is_no_case_is_wrong_usage(
    ttsops: Ttsops, tmp_path: Path, content: dict[str, str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    done = ttsops("golden", "check", folder)
    assert (done.code, str(folder) in done.err) == (2, True)


def test_a_case_of_another_family_is_not_taken_for_one_of_ours(ttsops: Ttsops, tmp_path: Path) -> None:
    case = copied(SHORT, tmp_path)
    config = json.loads((case / "config.json").read_text())
    (case / "config.json").write_text(json.dumps(config | {"model_type": "vibevoice_asr"}))
    done = ttsops("golden", "check", case, SOLVER)
    assert done.code == 2
    assert "1 of 2 cases within tolerance" in done.err


def test_without_torch_it_says_what_to_install(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "torch" else found(name))
    done = ttsops("golden", "check", SOLVER)
    assert done.code == 3
    assert "`torch`" in done.err
    assert "pip install 'tts-ops[vibevoice]'" in done.err


def test_a_folder_with_a_table_alone_is_a_case_and_other_json_is_none(ttsops: Ttsops, tmp_path: Path) -> None:
    copied(GOLDEN.parent / "f5" / "timesteps", tmp_path)
    other = tmp_path / "others"
    other.mkdir()
    (other / "rows.json").write_text('{"rows": []}')
    (other / "broken.json").write_text("{")
    (case,) = json.loads(ttsops("golden", "check", tmp_path, "--json").out)
    assert (case["engine"], case["ok"]) == ("f5", True)
    assert [one["name"] for one in case["tensors"]] == ["uses_epss_table", "grid_before_sway", "t"]
    assert ttsops("golden", "check", other).code == 2
