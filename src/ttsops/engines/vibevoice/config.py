"""The published `config.json`, in either layout, as typed sizes; refused where it asks for what is not here.

transformers leaves out of a file what equals its classes' defaults, so those of version 5.23 are kept here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttsops.engines.nn.acoustic_decoder import DecoderConfig
from ttsops.engines.nn.codec_encoder import EncoderConfig
from ttsops.engines.nn.diffusion_head import HeadConfig
from ttsops.engines.nn.published_config import parse_decoder, parse_encoder, parse_head, require
from ttsops.engines.nn.qwen2 import Qwen2Config
from ttsops.engines.vibevoice.layouts import Layout, layout_of_config
from ttsops.errors import EngineUnavailable

_LANGUAGE_MODEL_MUST = {"hidden_act": "silu", "use_sliding_window": False, "rope_scaling": None}
_ROPE_MUST = {"rope_type": "default"}
_CONVERTED_CODEC_MUST = {"channels": 1, "kernel_size": 7, "hidden_act": "gelu", "ffn_expansion": 4}
_CONVERTED_HEAD_MUST = {
    "hidden_act": "silu",
    "frequency_embedding_size": 256,
    "diffusion_max_period": 10_000,
    "mlp_bias": False,
}

_LANGUAGE_MODEL_DEFAULTS = {
    "vocab_size": 151_936,
    "max_position_embeddings": 32_768,
    "rms_norm_eps": 1e-6,
}
_CODEC_DEFAULTS: Mapping[str, Any] = {
    "hidden_size": 64,
    "num_filters": 32,
    "downsampling_ratios": (2, 2, 4, 5, 5, 8),
    "depths": (3, 3, 3, 3, 3, 3, 8),
    "rms_norm_eps": 1e-5,
    "vae_std": 0.625,
}
_SEMANTIC_DEFAULTS: Mapping[str, Any] = {**_CODEC_DEFAULTS, "hidden_size": 128}
_HEAD_DEFAULTS = {"num_hidden_layers": 4, "intermediate_size": 4608, "rms_norm_eps": 1e-5}

_STD_PER_FIX_STD = 0.8
"""The original layout gives a number that its code divides by this."""


@dataclass(frozen=True, slots=True)
class SpeechTokens:
    """Ids of the only tokens the model may choose, in the order in which they are compared."""

    eos: int = 151_643
    """The dialogue is over: `<|endoftext|>`."""

    audio_bos: int = 151_652
    """Speech begins: `<|vision_start|>` of Qwen2.5, whose tokenizer has none of its own for it."""

    audio_eos: int = 151_653
    """Speech ends, and more may follow: `<|vision_end|>`."""

    audio: int = 151_654
    """One frame of speech: `<|vision_pad|>`. In a prompt it stands for a frame of a voice."""

    @property
    def ids(self) -> tuple[int, int, int, int]:
        """All four."""
        return (self.eos, self.audio_bos, self.audio_eos, self.audio)


@dataclass(frozen=True, slots=True)
class VibeVoiceConfig:
    """Sizes of the whole model."""

    layout: Layout
    language_model: Qwen2Config
    n_layers: int
    is_tied: bool
    """Tokens are chosen with the rows of the embedding."""

    head: HeadConfig
    decoder: DecoderConfig
    acoustic: EncoderConfig
    """Of the encoder that hears a voice."""

    semantic: EncoderConfig
    """Of the encoder that hears what was just said."""

    voice_std: float
    """Standard deviation of the noise scale that is added to a voice's latents."""

    tokens: SpeechTokens

    @property
    def latent_size(self) -> int:
        """Dimensions of one frame."""
        return self.decoder.latent_size

    @property
    def hop_length(self) -> int:
        """Samples of one frame."""
        return self.decoder.hop_length


def read_config(path: Path) -> VibeVoiceConfig:
    """Raises `EngineUnavailable` if the file is not the configuration of such a model."""
    try:
        return parse_config(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        reason = f"`{e.args[0]}` is missing" if isinstance(e, KeyError) else str(e)
        raise EngineUnavailable(f"`{path}` is no configuration of VibeVoice: {reason}") from e


def parse_config(tree: Mapping[str, Any]) -> VibeVoiceConfig:
    """Raises `KeyError` for what is missing, `ValueError` for what is not supported."""
    layout = layout_of_config(tree)
    config = _parse_original(tree) if layout == "original" else _parse_converted(tree)
    hops = {config.decoder.hop_length, config.acoustic.hop_length, config.semantic.hop_length}
    if len(hops) > 1:
        raise ValueError(f"its codecs differ in the samples of a frame: {sorted(hops)}")
    if config.head.hidden_size != config.language_model.hidden_size:
        raise ValueError("its diffusion head has another `hidden_size` than its language model")
    if not config.latent_size == config.acoustic.latent_size == config.head.latent_size:
        raise ValueError("its codec and its diffusion head differ in the size of a latent")
    return config


def _parse_original(tree: Mapping[str, Any]) -> VibeVoiceConfig:
    language_model, acoustic = tree["decoder_config"], tree["acoustic_tokenizer_config"]
    require(acoustic, {"std_dist_type": "gaussian"})
    return VibeVoiceConfig(
        layout="original",
        language_model=_language_model(language_model),
        n_layers=int(language_model["num_hidden_layers"]),
        is_tied=bool(language_model.get("tie_word_embeddings", False)),
        head=parse_head(tree["diffusion_head_config"]),
        decoder=parse_decoder(acoustic),
        acoustic=parse_encoder(acoustic),
        semantic=parse_encoder(tree["semantic_tokenizer_config"]),
        voice_std=acoustic["fix_std"] / _STD_PER_FIX_STD,
        tokens=_tokens(tree),
    )


def _parse_converted(tree: Mapping[str, Any]) -> VibeVoiceConfig:
    language_model = {**_LANGUAGE_MODEL_DEFAULTS, **tree["text_config"]}
    audio = {**_CODEC_DEFAULTS, **(tree.get("audio_config") or {})}
    semantic = {**_SEMANTIC_DEFAULTS, **(tree.get("semantic_model_config") or {})}
    sizes = _language_model(language_model)
    acoustic = _converted_encoder(audio)
    return VibeVoiceConfig(
        layout="converted",
        language_model=sizes,
        n_layers=int(language_model["num_hidden_layers"]),
        is_tied=bool(language_model.get("tie_word_embeddings", False)),
        head=_converted_head(
            tree.get("diffusion_head_config") or {}, sizes.hidden_size, acoustic.latent_size
        ),
        decoder=DecoderConfig(
            latent_size=acoustic.latent_size,
            n_filters=acoustic.n_filters,
            ratios=acoustic.ratios[::-1],
            depths=acoustic.depths[::-1],
            norm_eps=acoustic.norm_eps,
        ),
        acoustic=acoustic,
        semantic=_converted_encoder(semantic),
        voice_std=float(audio["vae_std"]),
        tokens=_tokens(tree),
    )


def _language_model(section: Mapping[str, Any]) -> Qwen2Config:
    require(section, _LANGUAGE_MODEL_MUST)
    rope = section.get("rope_parameters") or section
    require(rope, _ROPE_MUST)
    names = [name for name in Qwen2Config.__slots__ if name != "rope_theta"]
    return Qwen2Config(**{name: section[name] for name in names}, rope_theta=float(rope["rope_theta"]))


def _converted_encoder(section: Mapping[str, Any]) -> EncoderConfig:
    require(section, _CONVERTED_CODEC_MUST)
    config = EncoderConfig(
        latent_size=section["hidden_size"],
        n_filters=section["num_filters"],
        ratios=tuple(section["downsampling_ratios"]),
        depths=tuple(section["depths"]),
        norm_eps=section["rms_norm_eps"],
    )
    if len(config.depths) != len(config.ratios) + 1:
        raise ValueError(f"{len(config.depths)} encoder depths do not fit {len(config.ratios)} ratios")
    return config


def _converted_head(given: Mapping[str, Any], hidden_size: int, latent_size: int) -> HeadConfig:
    require(given, _CONVERTED_HEAD_MUST)
    section = {"hidden_size": hidden_size, "latent_size": latent_size, **_HEAD_DEFAULTS, **given}
    config = HeadConfig(
        hidden_size=section["hidden_size"],
        head_layers=section["num_hidden_layers"],
        head_ffn_ratio=section["intermediate_size"] / section["hidden_size"],
        latent_size=section["latent_size"],
        rms_norm_eps=section["rms_norm_eps"],
    )
    if config.feed_forward_size != section["intermediate_size"]:
        raise ValueError(
            "its diffusion head's `intermediate_size` is no multiple that can be kept as a ratio"
        )
    return config


def _tokens(tree: Mapping[str, Any]) -> SpeechTokens:
    """Only the converted layout names them; both were trained with the same."""
    names = {
        "eos": "eos_token_id",
        "audio_bos": "audio_bos_token_id",
        "audio_eos": "audio_eos_token_id",
        "audio": "audio_token_id",
    }
    given = {ours: tree[theirs] for ours, theirs in names.items() if tree.get(theirs) is not None}
    tokens = SpeechTokens(**given)
    if len(set(tokens.ids)) < len(tokens.ids):
        raise ValueError(f"its speech tokens are not distinct: {tokens.ids}")
    return tokens
