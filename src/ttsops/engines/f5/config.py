"""Sizes of the network and the vocoder: those of the published files, or read from a folder's own.

The published checkpoint of F5-TTS comes without its configuration, which lives in the code that trained it
(https://github.com/SWivid/F5-TTS, `configs/F5TTS_v1_Base.yaml`); Vocos comes with a `config.yaml`
(https://huggingface.co/charactr/vocos-mel-24khz).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttsops.engines.f5.card import SAMPLE_RATE
from ttsops.errors import EngineUnavailable

_ARCH_MUST = {
    "qk_norm": None,
    "pe_attn_head": None,
    "text_mask_padding": True,
    "conv_mult": 2,
    "long_skip_connection": False,
}
"""What other checkpoints of the family may ask for; the first release (`F5TTS_Base`) is one of them."""

_MEL_MUST = {"mel_spec_type": "vocos"}
_VOCOS_MUST = {"padding": "center"}


@dataclass(frozen=True, slots=True)
class MelConfig:
    """The mel spectrogram that both networks speak of."""

    sample_rate: int = SAMPLE_RATE
    n_fft: int = 1024
    """Samples of a window, which is as long as its transform."""

    hop: int = 256
    n_mels: int = 100


@dataclass(frozen=True, slots=True)
class DiTConfig:
    """The diffusion transformer, named as in the published configuration."""

    dim: int = 1024
    depth: int = 22
    heads: int = 16
    dim_head: int = 64
    ff_mult: int = 2
    text_dim: int = 512
    conv_layers: int = 4
    n_tokens: int = 2545
    """Lines of `vocab.txt`; the embedding has one row more, for the filler."""

    n_mels: int = 100


@dataclass(frozen=True, slots=True)
class VocosConfig:
    """The vocoder, named as in the published configuration."""

    input_channels: int = 100
    dim: int = 512
    intermediate_dim: int = 1536
    num_layers: int = 8
    n_fft: int = 1024
    hop_length: int = 256


@dataclass(frozen=True, slots=True)
class F5Config:
    """Everything of one loaded model."""

    dit: DiTConfig = DiTConfig()
    vocos: VocosConfig = VocosConfig()
    mel: MelConfig = MelConfig()

    def __post_init__(self) -> None:
        """Raises `ValueError` if network and vocoder do not speak of the same mel."""
        mel, vocos = self.mel, self.vocos
        spoken = (vocos.input_channels, vocos.n_fft, vocos.hop_length)
        if spoken != (mel.n_mels, mel.n_fft, mel.hop) or self.dit.n_mels != mel.n_mels:
            raise ValueError("the network and the vocoder are of different mel spectrograms")


PUBLISHED = F5Config()
"""F5TTS_v1_Base with vocos-mel-24khz."""


def read_config(path: Path) -> tuple[DiTConfig, MelConfig]:
    """A folder's own `config.json`. Raises `EngineUnavailable` if it is not one of such a model."""
    try:
        return parse_config(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise EngineUnavailable(f"`{path}` is no configuration of F5-TTS: {_reason(e)}") from e


def read_vocos_config(path: Path) -> VocosConfig:
    """The vocoder's own `config.yaml`. Raises `EngineUnavailable` if it is not one."""
    import yaml  # only a folder with a configuration of its own needs it

    try:
        return parse_vocos_config(yaml.safe_load(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as e:
        raise EngineUnavailable(f"`{path}` is no configuration of Vocos: {_reason(e)}") from e


def parse_config(tree: Mapping[str, Any]) -> tuple[DiTConfig, MelConfig]:
    """Raises `KeyError` for what is missing, `ValueError` for what is not supported."""
    arch, mel = tree["arch"], tree["mel_spec"]
    _require(tree, {"model": "DiT"})
    _require(arch, _ARCH_MUST)
    _require(mel, _MEL_MUST | {"win_length": mel["n_fft"]})
    sizes = {name: arch[name] for name in DiTConfig.__slots__ if name not in ("n_tokens", "n_mels")}
    n_tokens, n_mels = int(tree["text_num_embeds"]), int(tree["mel_dim"])
    return DiTConfig(**sizes, n_tokens=n_tokens, n_mels=n_mels), MelConfig(
        sample_rate=mel["target_sample_rate"],
        n_fft=mel["n_fft"],
        hop=mel["hop_length"],
        n_mels=mel["n_mel_channels"],
    )


def parse_vocos_config(tree: Mapping[str, Any]) -> VocosConfig:
    """Raises `KeyError` for what is missing, `ValueError` for what is not supported."""
    backbone, head = tree["backbone"]["init_args"], tree["head"]["init_args"]
    _require(head, _VOCOS_MUST)
    return VocosConfig(
        **{name: backbone[name] for name in ("input_channels", "dim", "intermediate_dim", "num_layers")},
        **{name: head[name] for name in ("n_fft", "hop_length")},
    )


def _require(section: Mapping[str, Any], expected: Mapping[str, object]) -> None:
    for name, value in expected.items():
        if section.get(name, value) != value:
            raise ValueError(f"`{name}` is {section[name]!r}; only {value!r} is supported")


def _reason(error: Exception) -> str:
    return f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
