"""The published `config.json` as typed sizes, refused where it asks for what this code does not do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttsops.engines.nn.acoustic_decoder import DecoderConfig
from ttsops.engines.nn.diffusion_head import HeadConfig
from ttsops.engines.nn.published_config import parse_decoder, parse_head, require
from ttsops.engines.nn.qwen2 import Qwen2Config
from ttsops.errors import EngineUnavailable

_LANGUAGE_MODEL_MUST = {"hidden_act": "silu", "rope_scaling": None, "use_sliding_window": False}


@dataclass(frozen=True, slots=True)
class RealtimeConfig:
    """Sizes of the whole model."""

    language_model: Qwen2Config
    n_text_layers: int
    """Layers that read text only."""

    n_speech_layers: int
    """Layers above them that read text and speech."""

    head: HeadConfig
    decoder: DecoderConfig

    @property
    def latent_size(self) -> int:
        """Dimensions of one frame."""
        return self.decoder.latent_size


def read_config(path: Path) -> RealtimeConfig:
    """Raises `EngineUnavailable` if the file is not the configuration of such a model."""
    try:
        return parse_config(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as e:
        reason = f"`{e.args[0]}` is missing" if isinstance(e, KeyError) else str(e)
        raise EngineUnavailable(f"`{path}` is no configuration of VibeVoice-Realtime: {reason}") from e


def parse_config(tree: Mapping[str, Any]) -> RealtimeConfig:
    """Raises `KeyError` for what is missing, `ValueError` for what is not supported."""
    language_model = tree["decoder_config"]
    n_speech = int(tree["tts_backbone_num_hidden_layers"])
    require(language_model, _LANGUAGE_MODEL_MUST)
    return RealtimeConfig(
        language_model=Qwen2Config(**{name: language_model[name] for name in Qwen2Config.__slots__}),
        n_text_layers=int(language_model["num_hidden_layers"]) - n_speech,
        n_speech_layers=n_speech,
        head=parse_head(tree["diffusion_head_config"]),
        decoder=parse_decoder(tree["acoustic_tokenizer_config"]),
    )
