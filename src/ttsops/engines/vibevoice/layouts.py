"""The two layouts in which the model is published: the original code's, and the one transformers converts to.

The network asks for tensors by their original names; only `converted_name` knows the others.
transformers builds a model of wrong sizes from a folder in the original layout and reports no error, so what
a folder holds is told from its content, and a mixture is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias

from ttsops.errors import EngineUnavailable

Layout: TypeAlias = Literal["original", "converted"]

_CONFIG_MARKS: Mapping[Layout, tuple[str, ...]] = {
    "original": ("decoder_config", "acoustic_tokenizer_config", "semantic_tokenizer_config"),
    "converted": ("text_config", "audio_config", "semantic_model_config"),
}
_TENSOR_MARKS: Mapping[Layout, tuple[str, ...]] = {
    "original": ("model.prediction_head.", "model.acoustic_tokenizer.", "model.acoustic_connector."),
    "converted": ("model.diffusion_head.", "model.audio_tower.", "model.multi_modal_projector."),
}
_REALTIME = "tts_backbone_num_hidden_layers"
"""Only VibeVoice-Realtime's configuration has it."""

_RENAMED = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"^model\.speech_scaling_factor$", "model.latent_scaling_factor"),
        (r"^model\.speech_bias_factor$", "model.latent_bias_factor"),
        (r"^model\.acoustic_connector\.", "model.multi_modal_projector."),
        (r"^(model\.(?:multi_modal_projector|semantic_connector)\.)fc([12])\.", r"\1linear_\2."),
        (r"^(model\.(?:multi_modal_projector|semantic_connector)\.)norm\.", r"\1act."),
        (r"^model\.prediction_head\.", "model.diffusion_head."),
        (r"^(model\.diffusion_head\.)t_embedder\.mlp\.0\.", r"\1timestep_proj.fc1."),
        (r"^(model\.diffusion_head\.)t_embedder\.mlp\.2\.", r"\1timestep_proj.fc2."),
        (r"^(model\.diffusion_head\.layers\.\d+\.)adaLN_modulation\.1\.", r"\1linear."),
        (r"^(model\.diffusion_head\.final_layer\.)linear\.", r"\1linear_2."),
        (r"^(model\.diffusion_head\.final_layer\.)adaLN_modulation\.1\.", r"\1linear_1."),
        (r"^model\.acoustic_tokenizer\.", "model.audio_tower."),
        (r"^model\.semantic_tokenizer\.encoder\.", "model.semantic_tokenizer_encoder."),
        (r"\.(?:down|up)sample_layers\.0\.0\.conv\.conv\.", ".stem.conv.conv."),
        (r"\.stages\.0\.", ".stem.stage."),
        (r"\.mixer\.conv\.conv\.conv\.", ".mixer.conv."),
        (r"\.head\.conv\.conv\.", ".head.conv."),
    )
)
_NUMBERED = (
    (re.compile(r"\.(?:down|up)sample_layers\.(\d+)\.0\.(conv\.conv|convtr\.convtr)\."), r".\2."),
    (re.compile(r"\.stages\.(\d+)\."), ".stage."),
)
"""Stages after the first: they are counted from 0 again in the converted layout."""


def converted_name(name: str) -> str:
    """What transformers calls the tensor, or beginning of tensors, that the original code calls `name`."""
    for pattern, to in _RENAMED:
        name = pattern.sub(to, name)
    for pattern, to in _NUMBERED:
        if match := pattern.search(name):
            stage = int(match[1]) - 1
            name = f"{name[: match.start()]}.conv_layers.{stage}{match.expand(to)}{name[match.end() :]}"
    return name


def layout_of_config(tree: Mapping[str, Any]) -> Layout:
    """Raises `ValueError` if `tree` is neither, or another model's."""
    if _REALTIME in tree:
        raise ValueError("it is VibeVoice-Realtime's: use the engine `vibevoice-realtime`")
    if "model_type" in tree and tree["model_type"] != "vibevoice":
        raise ValueError(f"its `model_type` is {tree['model_type']!r}, not 'vibevoice'")
    for layout, sections in _CONFIG_MARKS.items():
        if sections[0] in tree:
            return layout
    known = " nor ".join(f"`{sections[0]}`" for sections in _CONFIG_MARKS.values())
    raise ValueError(f"it has neither {known}")


def check_tensors(names: Collection[str], layout: Layout) -> None:
    """Raises `EngineUnavailable` if the tensors are in the other layout than their configuration."""
    for found, marks in _TENSOR_MARKS.items():
        if found != layout and any(name.startswith(marks) for name in names):
            raise EngineUnavailable(
                f"the tensors are in the {found} layout, and their config.json is in the {layout} one",
                hint="give the folder as it was published: the configuration that came with the weights",
            )
