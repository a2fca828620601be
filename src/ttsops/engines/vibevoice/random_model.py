"""A model without weights: the right shapes, or small ones, filled with seeded noise. It says no words.

Only its choice of tokens is made: noise alone would repeat one mark for ever. Some frames follow a mark that
speech begins, then speech ends, and begins anew or not. How often is left to the noise: whoever speaks with
such a model sets a limit.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.acoustic_decoder import DecoderConfig
from ttsops.engines.nn.codec_encoder import EncoderConfig
from ttsops.engines.nn.diffusion_head import HeadConfig
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.qwen2 import Qwen2Config
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice.config import SpeechTokens, VibeVoiceConfig
from ttsops.engines.vibevoice.model import BIAS_NAME, EMBEDDING_NAME, SCALE_NAME, VibeVoiceModel

_RATIOS = (2, 2, 4, 5, 5, 8)
_DEPTHS = (3, 3, 3, 3, 3, 3, 8)


def _sizes(language_model: Qwen2Config, n_layers: int, head: HeadConfig, *, is_tied: bool) -> VibeVoiceConfig:
    """A published model: all have one codec."""
    return VibeVoiceConfig(
        layout="original",
        language_model=language_model,
        n_layers=n_layers,
        is_tied=is_tied,
        head=head,
        decoder=DecoderConfig(64, 32, _RATIOS[::-1], _DEPTHS[::-1], 1e-5),
        acoustic=EncoderConfig(64, 32, _RATIOS, _DEPTHS, 1e-5),
        semantic=EncoderConfig(128, 32, _RATIOS, _DEPTHS, 1e-5),
        voice_std=0.625,
        tokens=SpeechTokens(),
    )


FULL = _sizes(
    Qwen2Config(1536, 8960, 12, 2, 151_936, 65_536, 1e6, 1e-6),
    28,
    HeadConfig(1536, 4, 3.0, 64, 1e-5),
    is_tied=True,
)
"""Sizes of VibeVoice-1.5B."""

LARGE = _sizes(
    Qwen2Config(3584, 18_944, 28, 4, 152_064, 32_768, 1e6, 1e-6),
    28,
    HeadConfig(3584, 4, 3.0, 64, 1e-5),
    is_tied=False,
)
"""Sizes of VibeVoice-Large, also called 7B."""

SMALL = VibeVoiceConfig(
    layout="original",
    language_model=Qwen2Config(64, 96, 4, 2, 512, 8192, 1e6, 1e-6),
    n_layers=3,
    is_tied=True,
    head=HeadConfig(64, 2, 3.0, 8, 1e-5),
    decoder=DecoderConfig(8, 2, _RATIOS[::-1], (2, 1, 1, 1, 1, 1, 1), 1e-5),
    acoustic=EncoderConfig(8, 2, _RATIOS, (1, 1, 1, 1, 1, 1, 2), 1e-5),
    semantic=EncoderConfig(12, 2, _RATIOS, (1, 1, 1, 1, 1, 1, 2), 1e-5),
    voice_std=0.625,
    tokens=SpeechTokens(eos=508, audio_bos=509, audio_eos=510, audio=511),
)
"""The same structure and the same 3200 samples per frame, at a few milliseconds a frame."""

_CONSTANTS = {SCALE_NAME: 0.1963, BIAS_NAME: -0.0493}

_GAIN = 0.8
"""At 1 the feedback from frame to frame is chaotic: a rounding error grows within twenty frames."""

_GAINS = {
    "model.acoustic_tokenizer.decoder.head.conv.conv.weight": 0.05,  # loud enough to be heard, not clipped
    EMBEDDING_NAME: 4.0,  # the layers add to it, and it must still be told which token was read
}


def random_weights(
    seed: int,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> RandomWeights:
    """What a model is filled with, whatever its size."""
    return RandomWeights(seed, _CONSTANTS, gain=_GAIN, gains=_GAINS, device=device, dtype=dtype, layer=layer)


def random_model(
    sizes: VibeVoiceConfig,
    seed: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> VibeVoiceModel:
    """A model of `FULL`, `LARGE` or `SMALL` size, the same for a seed on every machine."""
    model = VibeVoiceModel(random_weights(seed, device, dtype, layer), sizes)
    model.choices = _choices(model, seed)
    return model


def _choices(model: VibeVoiceModel, seed: int) -> Linear:
    """A hidden state leans towards the embedding of the token before it: marks are known by that."""
    tokens = model.config.tokens

    def direction(token: int) -> Tensor:
        return functional.normalize(model.embedding[token].float(), dim=0)

    noise = torch.randn(
        2, model.config.language_model.hidden_size, generator=torch.Generator().manual_seed(seed)
    )
    to_eos, to_pause = functional.normalize(noise, dim=1).to(model.device)
    begun, paused = direction(tokens.audio_bos), direction(tokens.audio_eos)
    rows = (paused + 2 * to_eos, paused, 1.5 * to_pause - paused, begun / 2 - paused)
    bias = torch.tensor((-6.0, -5.0, 0.0, 2.0), device=model.device)
    return Linear(torch.stack(rows), bias)
