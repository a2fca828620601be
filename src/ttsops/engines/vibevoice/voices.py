"""A voice from a recording: levelled, encoded, blurred a little, and turned into rows of the prompt.

Legend: V frames, D latent size, C hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.pieces import Pieces, finish
from ttsops.speech import Samples

LEVEL_DB = -25.0
"""Root mean square of every recording, in dB of full scale: the model was trained on this level."""

_TINY = 1e-6

CHUNK_FRAMES = 20
"""Frames encoded at a time: a minute at once would take gigabytes, and MPS takes 65 536 steps of a
convolution at most before macOS 15.1. https://github.com/pytorch/pytorch/issues/152278"""


@dataclass(frozen=True, slots=True)
class VoiceNoise:
    """How a voice's latents are blurred, as in training: the encoder's mean alone is no sample of it."""

    scale: Tensor
    """One number for the whole voice, [] or [1], before the model's own factor."""

    direction: Tensor
    """[V, D]"""


def seeded_voice_noise(n_frames: int, latent_size: int, seed: int) -> VoiceNoise:
    """The same for a seed on every device."""
    generator = torch.Generator().manual_seed(seed)
    scale = torch.randn(1, generator=generator)
    return VoiceNoise(scale, torch.randn(n_frames, latent_size, generator=generator))


def level(samples: Samples) -> Samples:
    """A recording at 24 kHz brought to `LEVEL_DB`, and to a peak of 1 at most."""
    levelled = samples * (10 ** (LEVEL_DB / 20) / (np.sqrt(np.mean(samples**2)) + _TINY))
    peak = np.abs(levelled).max(initial=0.0)
    levelled = levelled if peak <= 1 else levelled / (peak + _TINY)
    return np.asarray(levelled, np.float32)


def whole_frames(samples: Samples, hop_length: int) -> Samples:
    """What of a recording makes whole frames; one that is shorter than a frame is filled up with silence.

    The published code and its conversion make something else of a last frame that is not full.
    """
    n_kept = len(samples) // hop_length * hop_length
    return samples[:n_kept] if n_kept else np.pad(samples, (0, hop_length - len(samples)))


@torch.inference_mode()
def encode_voice(model: VibeVoiceModel, samples: Tensor) -> Tensor:
    """The encoder's latents [V, D], fp32, of samples [V · hop]."""
    return finish(encode_in_pieces(model, samples))


def encode_in_pieces(model: VibeVoiceModel, samples: Tensor) -> Pieces:
    """The same, `CHUNK_FRAMES` at a time."""
    state, slot = model.acoustic.new_slots(1), torch.zeros(1, dtype=torch.long, device=model.device)
    whole = samples.to(model.device, model.dtype)[None]
    latents = []
    for chunk in torch.split(whole, CHUNK_FRAMES * model.config.hop_length, dim=1):
        latents.append(model.acoustic(chunk, state, slot)[0])
        yield
    return torch.cat(latents).float()


def blur(model: VibeVoiceModel, latents: Tensor, noise: VoiceNoise | None) -> Tensor:
    """Latents [V, D] with their noise: the mean, and a random amount of a random direction."""
    if noise is None:
        return latents
    scale = model.config.voice_std * noise.scale.to(latents)
    return latents + scale * noise.direction.to(latents)


@torch.inference_mode()
def prepare_voice(model: VibeVoiceModel, recording: Samples, seed: int = 0) -> Tensor:
    """Rows of the prompt [V, C] for a recording at 24 kHz, which is not empty."""
    return finish(prepare_in_pieces(model, recording, seed))


def prepare_in_pieces(model: VibeVoiceModel, recording: Samples, seed: int = 0) -> Pieces:
    """The same, `CHUNK_FRAMES` at a time."""
    samples = whole_frames(level(recording), model.config.hop_length)
    latents = yield from encode_in_pieces(model, torch.from_numpy(samples))
    noise = seeded_voice_noise(len(latents), model.config.latent_size, seed)
    return model.voice_rows(blur(model, latents, noise))


def count_frames(recording: Samples, hop_length: int) -> int:
    """Rows that a recording will have."""
    return max(len(recording) // hop_length, 1)
