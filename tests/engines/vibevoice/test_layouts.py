"""Both published layouts give the same model, and what is neither is refused."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import GOLDEN, shapes_of, write_original
from safetensors.torch import load_file, save_file

from ttsops.engines.vibevoice.config import SpeechTokens, VibeVoiceConfig, parse_config, read_config
from ttsops.engines.vibevoice.golden import check_case
from ttsops.engines.vibevoice.layouts import converted_name
from ttsops.engines.vibevoice.model import load_model
from ttsops.engines.vibevoice.random_model import FULL, LARGE, SMALL
from ttsops.errors import EngineUnavailable

pytestmark = pytest.mark.unit

TIED, UNTIED = "one_speaker_max_length", "two_speakers_multiturn"


def copied(case: str, to: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / case, to / case))


def config_of(case: str) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((GOLDEN / case / "config.json").read_text())
    return tree


@pytest.mark.parametrize("case", [TIED, UNTIED])
def test_the_original_layout_is_the_same_model_to_the_bit(case: str, tmp_path: Path) -> None:
    folder = copied(case, tmp_path)
    write_original(folder)
    original, converted = read_config(folder / "config.json"), read_config(GOLDEN / case / "config.json")
    assert (original.layout, converted.layout) == ("original", "converted")
    assert replace(original, layout="converted") == converted
    found, expected = check_case(folder), check_case(GOLDEN / case)
    assert [(one.name, one.max_abs_diff) for one in found] == [
        (one.name, one.max_abs_diff) for one in expected
    ]


@pytest.mark.parametrize("case", [TIED, UNTIED])
def test_names_are_mapped_one_to_one_onto_a_converted_checkpoint(case: str) -> None:
    names = shapes_of(replace(read_config(GOLDEN / case / "config.json"), layout="original"))
    stored = load_file(GOLDEN / case / "model.safetensors")
    assert sorted(map(converted_name, names)) == sorted(stored)
    assert {converted_name(name): shape for name, shape in names.items()} == {
        name: tuple(tensor.shape) for name, tensor in stored.items()
    }


@pytest.mark.parametrize(
    ("sizes", "n_tensors", "n_numbers"), [(FULL, 1204, 2_704_021_987), (LARGE, 1205, 9_343_355_363)]
)
def test_published_sizes_have_the_published_number_of_weights(
    sizes: VibeVoiceConfig, n_tensors: int, n_numbers: int
) -> None:
    original = shapes_of(sizes)
    assert len(original) == n_tensors
    assert sum(map(math.prod, original.values())) == n_numbers
    converted = shapes_of(replace(sizes, layout="converted"))
    assert converted == {converted_name(name): shape for name, shape in original.items()}


@pytest.mark.parametrize(
    ("original", "converted"),
    [
        ("model.language_model.layers.3.mlp.up_proj.weight",) * 2,
        ("lm_head.weight",) * 2,
        ("model.speech_bias_factor", "model.latent_bias_factor"),
        ("model.acoustic_connector.fc1.bias", "model.multi_modal_projector.linear_1.bias"),
        ("model.semantic_connector.norm.weight", "model.semantic_connector.act.weight"),
        (
            "model.prediction_head.final_layer.adaLN_modulation.1.weight",
            "model.diffusion_head.final_layer.linear_1.weight",
        ),
        (
            "model.acoustic_tokenizer.decoder.upsample_layers.2.0.convtr.convtr.bias",
            "model.audio_tower.decoder.conv_layers.1.convtr.convtr.bias",
        ),
        (
            "model.semantic_tokenizer.encoder.stages.10.2.mixer.conv.conv.conv.weight",
            "model.semantic_tokenizer_encoder.conv_layers.9.stage.2.mixer.conv.weight",
        ),
        (
            "model.acoustic_tokenizer.encoder.stages.0.1.ffn.linear1.weight",
            "model.audio_tower.encoder.stem.stage.1.ffn.linear1.weight",
        ),
    ],
)
def test_a_name_is_what_the_conversion_calls_it(original: str, converted: str) -> None:
    assert converted_name(original) == converted


def test_what_the_conversion_leaves_out_is_what_its_classes_have() -> None:
    """It writes no value that equals a default; 1.5B has many of them."""
    text = {
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_attention_heads": 12,
        "num_hidden_layers": 28,
        "num_key_value_heads": 2,
        "max_position_embeddings": 65_536,
        "rope_parameters": {"rope_theta": 1e6, "rope_type": "default"},
        "tie_word_embeddings": True,
    }
    assert parse_config({"model_type": "vibevoice", "text_config": text}) == replace(FULL, layout="converted")


def test_token_ids_are_qwens_unless_a_file_says_otherwise() -> None:
    assert SpeechTokens().ids == (151_643, 151_652, 151_653, 151_654)
    assert parse_config(config_of(TIED)).tokens.ids == (0, 3, 4, 5)


def test_a_config_of_one_layout_with_tensors_of_the_other_is_refused(tmp_path: Path) -> None:
    folder = copied(TIED, tmp_path)
    converted = load_file(folder / "model.safetensors")
    write_original(folder)
    (folder / "model.safetensors").unlink()
    save_file(converted, folder / "model.safetensors")
    with pytest.raises(EngineUnavailable, match="tensors are in the converted layout, and their config"):
        load_model(folder)


def test_tensors_that_are_unknown_or_of_another_shape_are_named(tmp_path: Path) -> None:
    folder = copied(TIED, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    tensors["model.diffusion_head.cond_proj.weight"] = torch.zeros(64, 32)
    save_file(tensors | {"model.extra.weight": torch.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(EngineUnavailable, match=r"cond_proj\.weight is \[64, 32\].*1 unknown: model\.extra"):
        load_model(folder)


def test_a_tied_table_may_be_stored_twice(tmp_path: Path) -> None:
    folder = copied(TIED, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    embedding = tensors["model.language_model.embed_tokens.weight"]
    save_file(tensors | {"lm_head.weight": embedding.clone()}, folder / "model.safetensors")
    assert load_model(folder).config.is_tied


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tts_backbone_num_hidden_layers": 20}, "engine `vibevoice-realtime`"),
        ({"model_type": "vibevoice_asr"}, "'vibevoice_asr', not 'vibevoice'"),
        ({"text_config": {"hidden_size": 64}}, "is missing"),
        ({"audio_eos_token_id": 5}, "not distinct"),
    ],
)
def test_a_config_of_another_model_is_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config_of(TIED) | change))
    with pytest.raises(EngineUnavailable, match=reason):
        read_config(path)


@pytest.mark.parametrize(
    ("section", "change", "reason"),
    [
        ("text_config", {"hidden_act": "gelu"}, "`hidden_act` is 'gelu'"),
        (
            "text_config",
            {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}},
            "`rope_type` is 'yarn'",
        ),
        ("audio_config", {"kernel_size": 5}, "`kernel_size` is 5"),
        ("audio_config", {"downsampling_ratios": [10, 8, 5, 4]}, "6 encoder depths do not fit 4 ratios"),
        ("semantic_model_config", {"downsampling_ratios": [10, 8, 5, 4, 4]}, "differ in the samples"),
        ("diffusion_head_config", {"hidden_size": 32}, "another `hidden_size`"),
        ("diffusion_head_config", {"latent_size": 8}, "differ in the size of a latent"),
    ],
)
def test_what_is_not_supported_is_named(section: str, change: dict[str, Any], reason: str) -> None:
    tree = config_of(TIED)
    with pytest.raises(ValueError, match=reason):
        parse_config(tree | {section: tree[section] | change})


def test_a_folder_without_either_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="neither `decoder_config` nor `text_config`"):
        load_model(tmp_path)


def test_the_small_model_has_the_published_samples_per_frame() -> None:
    assert SMALL.hop_length == FULL.hop_length == LARGE.hop_length == 3200
