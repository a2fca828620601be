"""A model without weights: the right shapes, or small ones, filled with seeded noise.

It never speaks words. Its classifier fires as soon as all text is read, so that every utterance ends: five
tokens become six frames, and the last window one.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ttsops.engines.nn.acoustic_decoder import DecoderConfig
from ttsops.engines.nn.diffusion_head import HeadConfig
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.qwen2 import Qwen2Config
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice_realtime.config import RealtimeConfig
from ttsops.engines.vibevoice_realtime.model import BIAS_NAME, EOS_PREFIX, SCALE_NAME, RealtimeModel
from ttsops.engines.vibevoice_realtime.voice_state import VoiceState, describe_voice
from ttsops.speech import Voice

FULL = RealtimeConfig(
    language_model=Qwen2Config(896, 4864, 14, 2, 151_936, 8192, 1e6, 1e-6),
    n_text_layers=4,
    n_speech_layers=20,
    head=HeadConfig(896, 4, 3.0, 64, 1e-5),
    decoder=DecoderConfig(64, 32, (8, 5, 5, 4, 2, 2), (8, 3, 3, 3, 3, 3, 3), 1e-5),
)
"""Sizes of the published model."""

SMALL = RealtimeConfig(
    language_model=Qwen2Config(64, 96, 4, 2, 512, 8192, 1e6, 1e-6),
    n_text_layers=2,
    n_speech_layers=3,
    head=HeadConfig(64, 2, 3.0, 8, 1e-5),
    decoder=DecoderConfig(8, 2, (8, 5, 5, 4, 2, 2), (2, 1, 1, 1, 1, 1, 1), 1e-5),
)
"""The same structure and the same 3200 samples per frame, at a few milliseconds a frame."""

_CONSTANTS = {
    SCALE_NAME: 0.2334,
    BIAS_NAME: -0.0703,
    f"{EOS_PREFIX}.fc2.weight": 0.0,
    f"{EOS_PREFIX}.fc2.bias": 1.0,
}

_GAIN = 0.8
"""At 1 the feedback from frame to frame is chaotic: a rounding error grows to 0.01 within twenty frames."""

_GAINS = {"model.acoustic_tokenizer.decoder.head.conv.conv.weight": 0.05}
"""Loud enough to be heard, and not clipped."""

_TEXT_POSITIONS, _SPEECH_FRAMES = 20, 40


def random_weights(
    seed: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> RandomWeights:
    """The same for a seed, on every machine."""
    return RandomWeights(seed, _CONSTANTS, gain=_GAIN, gains=_GAINS, device=device, dtype=dtype, layer=layer)


def random_model(
    sizes: RealtimeConfig,
    seed: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> RealtimeModel:
    """A model of `FULL` or `SMALL` size."""
    return RealtimeModel(random_weights(seed, device=device, dtype=dtype, layer=layer), sizes)


def random_voices(
    model: RealtimeModel, voice_ids: tuple[str, ...], seed: int
) -> Mapping[str, tuple[Voice, VoiceState]]:
    """Noise in the caches' shapes, another one for each id."""
    return {
        voice_id: (describe_voice(voice_id), _random_state(model, seed + i))
        for i, voice_id in enumerate(voice_ids)
    }


def _random_state(model: RealtimeModel, seed: int) -> VoiceState:
    generator = torch.Generator().manual_seed(seed)
    sizes = model.config.language_model

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(model.device, model.dtype)

    def prefix(n_layers: int, n_positions: int) -> torch.Tensor:
        return noise(n_layers, 2, sizes.num_key_value_heads, n_positions, sizes.head_dim)

    return VoiceState(
        text=prefix(model.config.n_text_layers, _TEXT_POSITIONS),
        speech=prefix(model.config.n_speech_layers, _TEXT_POSITIONS + _SPEECH_FRAMES),
        negative=prefix(model.config.n_speech_layers, 1),
        speech_hidden=noise(sizes.hidden_size),
        negative_hidden=noise(sizes.hidden_size),
    )
