"""The test that half precision has to pass before `auto` takes it on MPS, see `nn/number_format.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from ttsops.engines.contract import NO_SAMPLES, EngineConfig
from ttsops.engines.nn.hums import PITCHES, hum
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.number_format import is_near, pick_proven, pick_proven_device, prove_speech
from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice.generate import advance, start
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.prompt import make_prompt
from ttsops.engines.vibevoice.random_model import SMALL, random_model
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.voices import prepare_voice
from ttsops.models.policy import dtypes_of
from ttsops.speech import Samples

MODEL = "VibeVoice-1.5B"
"""Its name in the catalogue, which says in what format it and VibeVoice-Large run where."""

N_TOKENS = 6
N_POSITIONS = 128

MakeModel: TypeAlias = Callable[[torch.device, torch.dtype], VibeVoiceModel]


def pick_format(config: EngineConfig, device: torch.device) -> torch.dtype:
    """As `pick_dtype`, with the formats of the catalogue, and the test.

    Raises `ConfigError` for a format that is not supported on `device`.
    """
    return pick_proven(config, device, dtypes_of(MODEL), prove_format)


def pick_device_and_format(config: EngineConfig) -> tuple[torch.device, torch.dtype]:
    """Raises `ConfigError` and `EngineUnavailable` for what was asked for and is not to be had."""
    return pick_proven_device(config, pick_format, speaks_as_exact)


def speaks_as_exact(device: torch.device, dtype: torch.dtype, make_model: MakeModel | None = None) -> bool:
    """Whether `device` speaks in `dtype` as the CPU does in fp32. The log says so."""
    exact = _speak(_small_model(torch.device("cpu"), torch.float32))
    return is_near(device, dtype, exact, lambda: _speak((make_model or _small_model)(device, dtype)))


def _small_model(device: torch.device, dtype: torch.dtype) -> VibeVoiceModel:
    return random_model(SMALL, 0, device=device, dtype=dtype)


def prove_format(
    device: torch.device, half: torch.dtype, make_model: MakeModel = _small_model
) -> torch.dtype:
    """`half` if `device` speaks with it as the CPU does in fp32, and fp32 if not."""
    exact = _speak(_small_model(torch.device("cpu"), torch.float32))
    return prove_speech(device, half, exact, lambda: _speak(make_model(device, half)))


@torch.inference_mode()
def _speak(model: VibeVoiceModel) -> Samples:
    """A few frames of one dialogue, its voice included. Nothing but frames: a mark would tell of no sound."""
    size = model.config.language_model.hidden_size
    model.choices = Linear(
        torch.zeros(4, size, device=model.device), torch.tensor((0.0, 0.0, 0.0, 1.0), device=model.device)
    )
    slots, tokens = DialogueSlots(model, 1, N_POSITIONS), model.config.tokens
    voice = prepare_voice(model, hum(next(iter(PITCHES))))
    prompt = make_prompt([(0, "One, two.")], [len(voice)], HashedWords(min(tokens.ids)), tokens)
    track = start(
        slots,
        prompt,
        voice,
        Sampling(5, "dpmsolver++", 1.3),
        SeededNoise(model.config.latent_size, seed=0),
        slot=slots.take(),
        max_tokens=N_TOKENS,
    )
    frames = [NO_SAMPLES]
    while not (outcome := advance(model, slots, [track])[0]).end:
        frames.append(outcome.samples)
    return np.concatenate(frames)
