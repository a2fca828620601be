"""Checkpoints in both layouts, and a stand-in that has every tensor's shape and no numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.vibevoice.config import VibeVoiceConfig, read_config
from ttsops.engines.vibevoice.layouts import converted_name
from ttsops.engines.vibevoice.model import VibeVoiceModel

GOLDEN = Path(__file__).parents[2] / "golden" / "vibevoice_longform"


class Shapes:
    """Notes what a network asks for; scalars are ones, the rest takes no memory."""

    def __init__(self) -> None:
        self.device, self.dtype = torch.device("meta"), torch.float32
        self.layer: MakeLayer = Linear
        self.taken: dict[str, tuple[int, ...]] = {}

    def take(
        self, name: str, *shape: int, dtype: torch.dtype | None = None, fan_in: int | None = None
    ) -> Tensor:
        self.taken[name] = shape
        return torch.empty(shape, device="meta") if shape else torch.ones(())

    def stored_dtype(self, name: str) -> torch.dtype:
        return torch.float32

    def finish(self, ignored: Sequence[str] = ()) -> None:
        return


def shapes_of(config: VibeVoiceConfig) -> dict[str, tuple[int, ...]]:
    """By the names of the config's layout."""
    weights = Shapes()
    VibeVoiceModel(weights, config)
    return weights.taken


def original_config(tree: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a converted case, as the original code writes it."""
    text, audio, semantic = tree["text_config"], tree["audio_config"], tree["semantic_model_config"]
    head = tree["diffusion_head_config"]

    def codec(section: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "causal": True,
            "channels": 1,
            "conv_bias": True,
            "conv_norm": "none",
            "disable_last_norm": True,
            "encoder_depths": "-".join(map(str, section["depths"])),
            "encoder_n_filters": section["num_filters"],
            "encoder_ratios": section["downsampling_ratios"][::-1],
            "layernorm": "RMSNorm",
            "layernorm_eps": section["rms_norm_eps"],
            "mixer_layer": "depthwise_conv",
            "pad_mode": "constant",
            "vae_dim": section["hidden_size"],
            **more,
        }

    return {
        "model_type": "vibevoice",
        "acoustic_tokenizer_config": codec(
            audio,
            decoder_depths=None,
            decoder_n_filters=audio["num_filters"],
            decoder_ratios=audio["downsampling_ratios"][::-1],
            fix_std=0.5,
            std_dist_type="gaussian",
        ),
        "semantic_tokenizer_config": codec(semantic, fix_std=0, std_dist_type="none"),
        "decoder_config": {
            **{name: value for name, value in text.items() if name != "rope_parameters"},
            "rope_theta": text["rope_parameters"]["rope_theta"],
            "rope_scaling": None,
        },
        "diffusion_head_config": {
            "ddpm_beta_schedule": "cosine",
            "ddpm_num_inference_steps": 20,
            "ddpm_num_steps": 1000,
            "head_ffn_ratio": head["intermediate_size"] / head["hidden_size"],
            "head_layers": head["num_hidden_layers"],
            "hidden_size": head["hidden_size"],
            "latent_size": head["latent_size"],
            "prediction_type": "v_prediction",
            "rms_norm_eps": head["rms_norm_eps"],
        },
        # The original code takes them from its tokenizer; a small vocabulary needs others.
        "eos_token_id": tree["eos_token_id"],
        "audio_bos_token_id": tree["audio_bos_token_id"],
        "audio_eos_token_id": tree["audio_eos_token_id"],
        "audio_token_id": tree["audio_token_id"],
    }


def write_original(case: Path) -> None:
    """Turn a copied case into one of the original layout."""
    tree = original_config(json.loads((case / "config.json").read_text()))
    (case / "config.json").unlink()
    (case / "config.json").write_text(json.dumps(tree))
    converted = load_file(case / "model.safetensors")
    names = shapes_of(read_config(case / "config.json"))
    (case / "model.safetensors").unlink()
    save_file({name: converted[converted_name(name)] for name in names}, case / "model.safetensors")
