"""The test that half precision has to pass before `auto` takes it on MPS, see `nn/number_format.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.number_format import pick_proven, prove_speech
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice_realtime.generate import advance
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import SMALL, random_model, random_voices
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.track import new_track
from ttsops.models.policy import dtypes_of
from ttsops.speech import Samples

MODEL = "VibeVoice-Realtime-0.5B"
"""Its name in the catalogue, which says in what format it runs where."""

N_TOKENS = 10
"""Seven frames: two windows of text, and the frame at which a random model ends."""

N_POSITIONS = 128

MakeModel: TypeAlias = Callable[[torch.device, torch.dtype], RealtimeModel]


def pick_format(config: EngineConfig, device: torch.device) -> torch.dtype:
    """As `pick_dtype`, but half precision that `auto` takes on MPS has to pass the test.

    Raises `ConfigError` for a format that is not supported on `device`.
    """
    return pick_proven(config, device, dtypes_of(MODEL), prove_format)


def _small_model(device: torch.device, dtype: torch.dtype) -> RealtimeModel:
    return random_model(SMALL, 0, device=device, dtype=dtype)


def prove_format(
    device: torch.device, half: torch.dtype, make_model: MakeModel = _small_model
) -> torch.dtype:
    """`half` if `device` speaks with it as the CPU does in fp32, and fp32 if not. The log says why."""
    exact = _speak(_small_model(torch.device("cpu"), torch.float32))
    return prove_speech(device, half, exact, lambda: _speak(make_model(device, half)))


@torch.inference_mode()
def _speak(model: RealtimeModel) -> Samples:
    """A few frames of one stream."""
    slots = StreamSlots(model, 1, N_POSITIONS)
    ((_, voice),) = random_voices(model, ("test",), 0).values()
    slot = slots.take()
    slots.begin(slot, voice)
    noise = SeededNoise(model.config.latent_size, seed=0)
    track = new_track(slot, voice, Sampling(5, "sde-dpmsolver++", 1.5), noise, N_POSITIONS)
    track.windows.feed(range(N_TOKENS))
    track.windows.end()
    frames = []
    while not (outcome := advance(model, slots, [track])[0]).end:
        frames.append(outcome.samples)
    return np.concatenate(frames)
