"""Sections of VibeVoice's published `config.json` that its models share, refused where they ask for more.

The layout is that of the original code; every function raises `KeyError` for what is missing and `ValueError`
for what is not supported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttsops.engines.nn.acoustic_decoder import DecoderConfig
from ttsops.engines.nn.codec_encoder import EncoderConfig
from ttsops.engines.nn.diffusion_head import HeadConfig

_CODEC_MUST = {
    "causal": True,
    "conv_norm": "none",
    "conv_bias": True,
    "disable_last_norm": True,
    "layernorm": "RMSNorm",
    "mixer_layer": "depthwise_conv",
    "pad_mode": "constant",
    "channels": 1,
}
_HEAD_MUST = {"prediction_type": "v_prediction", "ddpm_beta_schedule": "cosine", "ddpm_num_steps": 1000}


def parse_head(section: Mapping[str, Any]) -> HeadConfig:
    """`diffusion_head_config`."""
    require(section, _HEAD_MUST)
    return HeadConfig(**{name: section[name] for name in HeadConfig.__slots__})


def parse_decoder(section: Mapping[str, Any]) -> DecoderConfig:
    """`acoustic_tokenizer_config`; depths that are not given are the encoder's, reversed."""
    require(section, _CODEC_MUST)
    depths = section.get("decoder_depths") or "-".join(reversed(section["encoder_depths"].split("-")))
    config = DecoderConfig(
        latent_size=section["vae_dim"],
        n_filters=section["decoder_n_filters"],
        ratios=tuple(section.get("decoder_ratios") or section["encoder_ratios"]),
        depths=_depths(depths),
        norm_eps=section["layernorm_eps"],
    )
    _check_depths(config)
    return config


def parse_encoder(section: Mapping[str, Any]) -> EncoderConfig:
    """`acoustic_tokenizer_config` or `semantic_tokenizer_config`; written from latents to samples."""
    require(section, _CODEC_MUST)
    config = EncoderConfig(
        latent_size=section["vae_dim"],
        n_filters=section["encoder_n_filters"],
        ratios=tuple(reversed(section["encoder_ratios"])),
        depths=_depths(section["encoder_depths"]),
        norm_eps=section["layernorm_eps"],
    )
    _check_depths(config)
    return config


def require(section: Mapping[str, Any], expected: Mapping[str, object]) -> None:
    """Raises `ValueError` for an entry that is there and is another."""
    for name, value in expected.items():
        if section.get(name, value) != value:
            raise ValueError(f"`{name}` is {section[name]!r}; only {value!r} is supported")


def _depths(written: str) -> tuple[int, ...]:
    return tuple(int(depth) for depth in written.split("-"))


def _check_depths(config: DecoderConfig | EncoderConfig) -> None:
    if len(config.depths) != len(config.ratios) + 1:
        kind = "decoder" if isinstance(config, DecoderConfig) else "encoder"
        raise ValueError(f"{len(config.depths)} {kind} depths do not fit {len(config.ratios)} ratios")
