"""Where the parts of a model are, in the published layout or in one folder, and loading them.

Published: `model_1250000.safetensors` and `vocab.txt` in one folder (SWivid/F5-TTS, `F5TTS_v1_Base`), Vocos
in another with `config.yaml` and `pytorch_model.bin` (charactr/vocos-mel-24khz). A folder may instead have
all of it, with a `config.json` that gives other sizes.
"""

from __future__ import annotations

from pathlib import Path

import torch

from ttsops.engines.f5.config import (
    PUBLISHED,
    DiTConfig,
    F5Config,
    MelConfig,
    VocosConfig,
    read_config,
    read_vocos_config,
)
from ttsops.engines.f5.model import F5Model
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.weights import CheckpointWeights
from ttsops.errors import EngineUnavailable

CONFIG_FILE = "config.json"
VOCAB_FILE = "vocab.txt"
VOCOS_FOLDER = "vocos"
VOCOS_CONFIGS = ("config.yaml", "vocos_config.yaml")
VOCOS_FILES = ("vocos.safetensors", "model.safetensors", "pytorch_model.bin")


def load_model(
    path: Path,
    vocoder: Path | None = None,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> F5Model:
    """The model at `path`, a checkpoint or its folder; `vocoder` is the folder of Vocos, beside it if None.

    Raises `EngineUnavailable` if a part is missing or is of another model.
    """
    checkpoint = find_checkpoint(path)
    dit, mel = _sizes(checkpoint.parent)
    vocos_weights, vocos = find_vocos(checkpoint.parent, vocoder)
    try:
        config = F5Config(dit, vocos, mel)
    except ValueError as e:
        raise EngineUnavailable(f"`{checkpoint}` and `{vocos_weights}` do not fit together: {e}") from e
    with (
        CheckpointWeights(checkpoint, device=device, dtype=dtype, layer=layer) as weights,
        CheckpointWeights(vocos_weights, device=device) as of_vocos,
    ):
        return F5Model(weights, of_vocos, config)


def find_checkpoint(path: Path) -> Path:
    """`path` itself, or the one checkpoint in that folder. Raises `EngineUnavailable` if there is not one."""
    if not path.is_dir():
        return path
    found = sorted({*path.glob("model_*.safetensors"), *path.glob("model.safetensors")})
    if len(found) != 1:
        names = ", ".join(f"`{one.name}`" for one in found) or "none"
        raise EngineUnavailable(
            f"there must be one checkpoint in `{path}`, and there are {len(found)}: {names}",
            hint="name the file: F5TTS_v1_Base/model_1250000.safetensors of SWivid/F5-TTS",
        )
    return found[0]


def find_vocab(path: Path) -> Path:
    """`vocab.txt` beside the checkpoint at `path`, or in that folder."""
    return (path if path.is_dir() else path.parent) / VOCAB_FILE


def _sizes(folder: Path) -> tuple[DiTConfig, MelConfig]:
    config = folder / CONFIG_FILE
    return read_config(config) if config.exists() else (PUBLISHED.dit, PUBLISHED.mel)


def find_vocos(folder: Path, vocoder: Path | None) -> tuple[Path, VocosConfig]:
    """Weights of Vocos in the folder `vocoder`, or by default where the network is, and their sizes.

    Raises `EngineUnavailable` if there are none.
    """
    beside = folder / VOCOS_FOLDER
    place = vocoder or (beside if beside.is_dir() else folder)
    # In one folder with the network, a `model.safetensors` is the network's.
    names = VOCOS_FILES[:1] if place == folder else VOCOS_FILES
    weights = next((place / name for name in names if (place / name).exists()), None)
    if weights is None:
        raise EngineUnavailable(
            f"there is no vocoder in `{place}`",
            hint="give the folder of charactr/vocos-mel-24khz: config.yaml and pytorch_model.bin",
        )
    configs = [place / name for name in VOCOS_CONFIGS]
    config = next((one for one in configs if one.exists()), None)
    return weights, read_vocos_config(config) if config else PUBLISHED.vocos
