"""The engine's own code against recordings of the reference implementation, fp32."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines.f5.checkpoint import load_model
from ttsops.engines.f5.golden import check_case
from ttsops.engines.f5.sampler import advance, start_flow
from ttsops.engines.f5.schedule import Schedule
from ttsops.errors import EngineUnavailable, InvalidValue

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden" / "f5"
CASES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())


def far(folder: Path) -> list[str]:
    found = check_case(folder)
    assert found
    return [f"{one.name}: {one.max_abs_diff:.2g} > {one.tolerance:g}" for one in found if not one.ok]


def change(file: Path, how: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(file)
    how(tensors)
    save_file(tensors, file)


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_every_recording_is_within_its_tolerance(folder: Path) -> None:
    assert not far(folder)


def test_there_are_cases_of_every_kind_but_those_made_here() -> None:
    assert len(CASES) == 9


def test_a_chunk_sampled_alone_is_compared_tensor_by_tensor(sample: Path) -> None:
    assert {one.name for one in check_case(sample)} == load_file(sample / "outputs.safetensors").keys()
    assert not far(sample)


def test_a_wrong_recording_is_found(sample: Path) -> None:
    def bend(outputs: dict[str, torch.Tensor]) -> None:
        outputs["waveform"][0, 100] += 1e-5
        outputs["mel"][0, 199, 3] += 1e-3
        outputs["unheard_of"] = torch.zeros(1)

    change(sample / "outputs.safetensors", bend)
    assert [line.split(":")[0] for line in sorted(far(sample))] == ["mel", "unheard_of", "waveform"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("steps", 7), ("cfg_strength", 1.5), ("sway_sampling_coef", None), ("lens", [71, 93])],
)
def test_the_settings_of_a_case_are_obeyed(sample: Path, setting: str, value: object) -> None:
    meta = json.loads((sample / "meta.json").read_text())
    if setting == "lens":
        change(sample / "inputs.safetensors", lambda inputs: inputs["lens"].fill_(93))
    (sample / "meta.json").write_text(json.dumps(meta | {setting: value}))
    assert any(line.startswith("mel") for line in far(sample))


def test_a_shorter_chunk_of_a_batch_is_compared_with_itself_alone(batch: Path) -> None:
    def bend(outputs: dict[str, torch.Tensor]) -> None:
        outputs["single0_mel"][0, 139, 50] += 1e-3

    change(batch / "outputs.safetensors", bend)
    assert [line.split(":")[0] for line in far(batch)] == ["single0_mel"]


def test_the_vocoder_alone_is_compared_whole_and_in_windows(batch: Path, tmp_path: Path) -> None:
    outputs = load_file(batch / "outputs.safetensors")
    case = tmp_path / "vocoder"
    case.mkdir()
    for name in ("vocos.safetensors", "vocos_config.yaml"):
        (batch / name).rename(case / name)
    mel = outputs["single1_mel"][:, 93:].transpose(1, 2).contiguous()
    save_file({"mel_x": mel, "wav_x": outputs["single1_waveform"]}, case / "decode.safetensors")
    assert [one.name for one in check_case(case)] == ["wav_x", "wav_x in windows"]
    assert not far(case)


def test_an_utterance_of_several_chunks_is_compared_to_its_last_sample(batch: Path) -> None:
    spoken_case(batch)
    assert not far(batch)
    change(batch / "outputs.safetensors", lambda outputs: outputs["wave"][-1:].add_(1e-4))
    assert [line.split(":")[0] for line in far(batch)] == ["wave"]


def spoken_case(case: Path) -> None:
    """Two chunks of a quiet voice, joined by hand."""
    model = load_model(case)
    ref_wav = 0.05 * torch.randn(1, 36_000, generator=torch.Generator().manual_seed(3))
    rms = ref_wav.square().mean().sqrt().item()
    cond_wav = ref_wav * (0.1 / rms)
    mel = model.mel(cond_wav)[0]
    inputs = {"ref_wav": ref_wav, "cond_wav": cond_wav}
    outputs, waves = {}, []
    for i, n_frames in enumerate((253, 266)):
        noise = torch.randn(1, n_frames, 100, generator=torch.Generator().manual_seed(i))
        ids = torch.arange(30)[None] + i
        flow = start_flow(model, mel, ids[0].tolist(), n_frames, Schedule(7), cfg_strength=2, noise=noise[0])
        while not flow.is_done:
            advance(model, [flow])
        inputs |= {f"chunk{i}_noise": noise, f"chunk{i}_text_ids": ids}
        outputs[f"chunk{i}_mel"] = flow.mel()[None]
        waves.append(model.vocos(flow.mel()[None, 140:])[0].double().numpy() * rms / 0.1)
    rising = np.linspace(0, 1, 3600)
    faded = waves[0][-3600:] * rising[::-1] + waves[1][:3600] * rising
    outputs["wave"] = torch.from_numpy(np.concatenate([waves[0][:-3600], faded, waves[1][3600:]]))
    meta = {
        "ref_text": "Some call me nature.",
        "gen_text_batches": ["First chunk here.", "And the second one."],
        "chunk_durations": [253, 266],
        "steps": 7,
        "cfg_strength": 2.0,
        "sway_sampling_coef": -1,
        "use_epss": True,
        "target_rms": 0.1,
        "cross_fade_duration": 0.15,
        "ref_rms": rms,
        "versions": {"f5_tts": "none: made here"},
    }
    save_file(inputs, case / "inputs.safetensors")
    save_file(outputs, case / "outputs.safetensors")
    (case / "meta.json").write_text(json.dumps(meta))


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("chunk_text/chunks.json", "chunks", ["Hello", "."]),
        ("durations/durations.json", "out_samples", 1),
        ("tokens/tokens.json", "ids", [1]),
        ("timesteps/timesteps.json", "t", [0.0, 0.9]),
    ],
)
def test_one_wrong_row_of_a_table_is_found_and_named(
    tmp_path: Path, table: str, column: str, value: object
) -> None:
    for file in (GOLDEN / table).parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / Path(table).name
    tree = json.loads(path.read_text())
    row = next(i for i, row in enumerate(tree["rows"]) if row[column])
    tree["rows"][row][column] = value
    path.write_text(json.dumps(tree))
    (line,) = far(tmp_path)
    assert line.startswith(f"{column} (row {row})")


def test_a_loud_band_must_be_right_and_a_silent_one_only_as_right_as_fp32_is(tmp_path: Path) -> None:
    for file in (GOLDEN / "mel_basic_ref_en").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())

    def bend(expected: dict[str, torch.Tensor]) -> None:
        mel = expected["mel"][0]
        frame = int(mel.amax(dim=0).argmax())
        mel[mel[:, frame].argmax(), frame] += 3e-5
        expected["mel_vocos_extractor"][0, expected["mel_vocos_extractor"][0, :, frame].argmin(), frame] += (
            3e-5
        )

    change(tmp_path / "expected.safetensors", bend)
    assert [line.split(":")[0] for line in far(tmp_path)] == ["mel"]


def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_its_name(batch: Path) -> None:
    change(batch / "model.safetensors", lambda tensors: tensors.pop("ema_model.transformer.proj_out.bias"))
    with pytest.raises(EngineUnavailable, match=r"1 missing: ema_model\.transformer\.proj_out\.bias"):
        check_case(batch)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no known kind"):
        check_case(tmp_path)
    (tmp_path / "table.json").write_text('{"rows": [{"this": 1}]}')
    with pytest.raises(InvalidValue, match="no case of F5-TTS"):
        check_case(tmp_path)
