"""A recorded dialogue, run through the code that speaks, with its recorded noise.

The recordings follow the original code: the codec forgets at the end of a segment of speech.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice.generate import advance, hear, start
from ttsops.engines.vibevoice.model import VibeVoiceModel, load_model
from ttsops.engines.vibevoice.prompt import Prompt
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.voices import VoiceNoise, blur, encode_voice, level

AUDIO_TOLERANCE, LATENT_TOLERANCE = 1e-4, 1e-3
"""Of samples, and of latents, hidden states and logits."""

WIDE_AUDIO_TOLERANCE, WIDE_LATENT_TOLERANCE = 2e-3, 5e-3
"""Of cases whose feedback amplifies rounding: those in which two reference implementations differ, too."""

PART_TOLERANCE = 1e-4
"""Of what comes before the first frame."""

_PARTS = ("prompt_latents_mean", "prompt_latents_scaled", "prompt_features")

Tensors = Mapping[str, Tensor]


class EndOfRecording(Exception):
    """The dialogue goes on after the last recorded draw: what was made until then is compared."""


class RecordedNoise:
    """The references drew two rows each time and used the first."""

    def __init__(self, inputs: Tensors) -> None:
        self._noise = inputs["diffusion_noise"][:, 0]  # [F, D]
        self._frame = 0

    def draw(self, n_steps: int) -> tuple[Tensor, Tensor]:
        """Raises `EndOfRecording` when there are no more frames."""
        if self._frame == len(self._noise):
            raise EndOfRecording
        noise = self._noise[self._frame]
        self._frame += 1
        return noise, noise.new_zeros(n_steps, len(noise))

    def put_back(self) -> None:
        """The last frame was not used."""
        self._frame -= 1


def compare_utterance(folder: Path) -> Iterator[Comparison]:
    """One line per recorded tensor, and one per voice for its level."""
    inputs, outputs = load_file(folder / "inputs.safetensors"), load_file(folder / "outputs.safetensors")
    meta: Mapping[str, Any] = json.loads((folder / "meta.json").read_text())
    model = load_model(folder, layer=pack)
    yield from _compare_levels(inputs)
    actual = _hear_voices(model, inputs)
    actual |= _speak(model, inputs, meta, actual.get("prompt_features"))
    is_wide = _noise_floor(meta) > AUDIO_TOLERANCE
    for name, recorded in outputs.items():
        found = actual.get(name)
        if found is None and not recorded.numel():
            found = recorded
        yield compare(name, found, recorded, _tolerance(name, is_wide=is_wide))


def _noise_floor(meta: Mapping[str, Any]) -> float:
    """How far the samples of two reference implementations are apart; 0 if it was not recorded."""
    measured = (meta.get("original_community_code") or {}).get("max_abs_diff_vs_outputs") or {}
    return float(measured.get("audio", 0.0))


def _tolerance(name: str, *, is_wide: bool) -> float:
    if name == "tokens":
        return 0.0
    if name in _PARTS:
        return PART_TOLERANCE
    if name == "audio":
        return WIDE_AUDIO_TOLERANCE if is_wide else AUDIO_TOLERANCE
    return WIDE_LATENT_TOLERANCE if is_wide else LATENT_TOLERANCE


def _compare_levels(inputs: Tensors) -> Iterator[Comparison]:
    """Recordings as they were given, against what the references hand to the encoder."""
    for name, raw in inputs.items():
        if name.startswith("voice_raw_"):
            recorded = inputs["input_values"][int(name.removeprefix("voice_raw_")), 0]
            levelled = torch.from_numpy(level(raw.numpy()))
            padded = functional.pad(levelled, (0, max(len(recorded) - len(levelled), 0)))
            yield compare(f"level.{name}", padded, recorded, PART_TOLERANCE)


def _hear_voices(model: VibeVoiceModel, inputs: Tensors) -> dict[str, Tensor]:
    """From levelled recordings to rows of the prompt. All were filled up to the length of the longest."""
    if "input_values" not in inputs:
        return {}
    means, scaled, rows = [], [], []
    for i, samples in enumerate(inputs["input_values"][:, 0]):
        mean = encode_voice(model, samples)
        noise = None
        if "vae_noise" in inputs:
            noise = VoiceNoise(inputs["vae_scale_noise"][i], inputs["vae_noise"][i])
        latents = blur(model, mean, noise)
        n_frames = math.ceil(int(inputs["padding_mask"][i].sum()) / model.config.hop_length)
        means.append(mean)
        scaled.append(model.to_model(latents))
        rows.append(model.voice_rows(latents[:n_frames]))
    return {
        "prompt_latents_mean": torch.stack(means),
        "prompt_latents_scaled": torch.stack(scaled),
        "prompt_features": torch.cat(rows),
    }


def _speak(
    model: VibeVoiceModel, inputs: Tensors, meta: Mapping[str, Any], voices: Tensor | None
) -> dict[str, Tensor]:
    """Every tensor on the way, as the recordings name and shape them."""
    ids = inputs["input_ids"][inputs["attention_mask"].bool()].tolist()
    n_tokens = int(meta["max_new_tokens"])
    slots = DialogueSlots(model, 1, len(ids) + n_tokens)
    sampling = Sampling(int(meta["num_diffusion_steps"]), "dpmsolver++", float(meta["guidance_scale"]))
    noise = RecordedNoise(inputs)
    track = start(slots, Prompt(tuple(ids)), voices, sampling, noise, slot=slots.take(), max_tokens=n_tokens)
    track.is_guided = True  # the negative branch was recorded even where it has no weight
    seen: defaultdict[str, list[Tensor]] = defaultdict(list)

    def note(name: str, tensor: Tensor) -> None:
        seen[name].append(tensor.clone())

    with suppress(EndOfRecording):
        while not advance(model, slots, [track], note)[0].end:
            pass
    hear(model, slots, [track], note)  # the references listen to the last frame, too
    actual = {name: torch.cat(rows) for name, rows in seen.items()}
    for name in ("latents", "semantic_features"):  # [F, 1, D]
        if name in actual:
            actual[name] = actual[name][:, None]
    if "audio" in actual:
        actual["audio"] = actual["audio"].view(1, -1)
    return actual
