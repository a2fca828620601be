"""A voice as the model keeps it: what its caches hold after it has read a transcript and heard the recording.

On disk a voice is `NAME.safetensors` with a manifest `NAME.json` beside it.

Legend: L layers, G key/value heads, P positions, D dimensions of a head, C hidden size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ttsops.audio import write_atomically
from ttsops.errors import InvalidValue
from ttsops.speech import Voice

_LANGUAGES = {"in": "en-IN", "jp": "ja", "kr": "ko", "sp": "es"}
"""What the published file names begin with, where it is no BCP 47 tag."""

_GENDERS: Mapping[str, Literal["male", "female"]] = {"man": "male", "woman": "female"}
_PUBLISHED_NAME = re.compile(r"(?P<language>[a-z]{2})-(?P<name>.+)_(?P<gender>man|woman)")


@dataclass(frozen=True, slots=True)
class VoiceState:
    """Prefixes of the three caches an utterance begins with, and the hidden states after them."""

    text: Tensor
    """[L, 2, G, P, D] of the layers that read text only."""

    speech: Tensor
    """[L, 2, G, P, D] of the layers above them."""

    negative: Tensor
    """[L, 2, G, P, D] of the same layers, for the branch that never sees text."""

    speech_hidden: Tensor
    """[C]"""

    negative_hidden: Tensor
    """[C]"""

    def to(self, device: torch.device, dtype: torch.dtype) -> VoiceState:
        """The same on a device."""
        return VoiceState(**{one.name: getattr(self, one.name).to(device, dtype) for one in fields(self)})


@dataclass(frozen=True, slots=True)
class CachedPrompt:
    """One model's part of a published voice prompt."""

    keys: Sequence[Tensor]
    """Of each layer [1, G, P, D], after the rotary embedding."""

    values: Sequence[Tensor]
    last_hidden_state: Tensor
    """[1, P, C]"""

    def stacked(self) -> Tensor:
        """[L, 2, G, P, D]"""
        layers = [torch.stack((k[0], v[0])) for k, v in zip(self.keys, self.values, strict=True)]
        return torch.stack(layers)


def make_voice_state(lm: CachedPrompt, tts_lm: CachedPrompt, neg_tts_lm: CachedPrompt) -> VoiceState:
    """From the parts of a published prompt. Its `neg_lm` is never used: the negative branch reads no text."""
    return VoiceState(
        text=lm.stacked(),
        speech=tts_lm.stacked(),
        negative=neg_tts_lm.stacked(),
        speech_hidden=tts_lm.last_hidden_state[0, -1].clone(),
        negative_hidden=neg_tts_lm.last_hidden_state[0, -1].clone(),
    )


def describe_voice(voice_id: str) -> Voice:
    """What a published file name (`en-Davis_man`) says about its voice."""
    match = _PUBLISHED_NAME.fullmatch(voice_id)
    if not match:
        return Voice(voice_id, voice_id)
    language = match["language"]
    return Voice(voice_id, match["name"], _LANGUAGES.get(language, language), _GENDERS[match["gender"]])


def save_voice(folder: Path, voice: Voice, state: VoiceState, source: Mapping[str, str]) -> Path:
    """Write tensors and manifest; `source` says where the voice came from. Gives the manifest's path.

    A voice is found by its manifest, which is written last: it is there whole, or not yet.
    """
    tensors = {one.name: getattr(state, one.name).contiguous() for one in fields(state)}
    manifest = {
        **asdict(voice),
        "model": "VibeVoice-Realtime-0.5B",
        "text_positions": state.text.shape[3],
        "speech_positions": state.speech.shape[3],
        "source": dict(source),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{voice.id}.safetensors", save(tensors))
    path = folder / f"{voice.id}.json"
    write_atomically(path, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def load_voices(folder: Path) -> dict[str, tuple[Voice, VoiceState]]:
    """Every voice of a folder by its id. Raises `InvalidValue` naming the file that is none."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            manifest: dict[str, Any] = json.loads(path.read_text())
            voice = Voice(**{one.name: manifest[one.name] for one in fields(Voice)})
            state = VoiceState(**load_file(path.with_suffix(".safetensors")))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as e:
            raise InvalidValue(f"`{path}` is not the manifest of a voice: {e}", param="voices") from e
        found[voice.id] = (voice, state)
    return found
