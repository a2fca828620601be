"""Which number format a device is trusted with: found by letting it speak, not by what it is called.

A small random model says a few frames in half precision on the device and in fp32 on the CPU. That shows
whether the device's kernels are there and right; it cannot show that larger, trained weights stay within the
range of fp16.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.devices import pick_dtype
from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice_realtime.generate import advance
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import SMALL, random_model, random_voices
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.track import new_track
from ttsops.models.policy import dtypes_of
from ttsops.speech import Samples

logger = logging.getLogger(__name__)

MODEL = "VibeVoice-Realtime-0.5B"
"""Its name in the catalogue, which says in what format it runs where."""

MAX_ERROR = 0.02
"""Of the samples, root mean square, in units of their own. bf16 on a CPU is at 0.01, fp16 below."""

N_TOKENS = 10
"""Seven frames: two windows of text, and the frame at which a random model ends."""

N_POSITIONS = 128

MakeModel: TypeAlias = Callable[[torch.device, torch.dtype], RealtimeModel]


def pick_format(config: EngineConfig, device: torch.device) -> torch.dtype:
    """As `pick_dtype`, but half precision that `auto` takes on MPS has to pass the test.

    Raises `ConfigError` for a format that is not supported on `device`.
    """
    dtypes = dtypes_of(MODEL)
    dtype = pick_dtype(config, device, dtypes)
    if config.dtype == "auto" and device.type == "mps" and dtype != torch.float32:
        return prove_format(device, dtype)
    return dtype


def _small_model(device: torch.device, dtype: torch.dtype) -> RealtimeModel:
    return random_model(SMALL, 0, device=device, dtype=dtype)


def prove_format(
    device: torch.device, half: torch.dtype, make_model: MakeModel = _small_model
) -> torch.dtype:
    """`half` if `device` speaks with it as the CPU does in fp32, and fp32 if not. The log says why."""
    exact = _speak(_small_model(torch.device("cpu"), torch.float32))
    try:
        found = _speak(make_model(device, half))
    except (RuntimeError, TypeError) as e:
        logger.warning("%s on `%s` fails its test, so fp32 is used: %s", half, device, e)
        return torch.float32
    error = _error(found, exact)
    if error <= MAX_ERROR:
        logger.info("%s on `%s` passes its test: error %.2g, allowed %g", half, device, error, MAX_ERROR)
        return half
    logger.warning(
        "%s on `%s` fails its test, so fp32 is used: error %.2g, allowed %g", half, device, error, MAX_ERROR
    )
    return torch.float32


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


def _error(found: Samples, exact: Samples) -> float:
    """Infinite if it has another length or is not finite."""
    if found.shape != exact.shape or not np.isfinite(found).all():
        return math.inf
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
