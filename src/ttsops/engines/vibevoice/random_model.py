"""A model without weights: the right shapes, or small ones, filled with seeded noise. It says no words."""

from __future__ import annotations

import torch

from ttsops.engines.nn.acoustic_decoder import DecoderConfig
from ttsops.engines.nn.codec_encoder import EncoderConfig
from ttsops.engines.nn.diffusion_head import HeadConfig
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.qwen2 import Qwen2Config
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice.config import SpeechTokens, VibeVoiceConfig
from ttsops.engines.vibevoice.model import BIAS_NAME, SCALE_NAME, VibeVoiceModel

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

_GAINS = {"model.acoustic_tokenizer.decoder.head.conv.conv.weight": 0.05}
"""Loud enough to be heard, and not clipped."""


def random_model(
    sizes: VibeVoiceConfig,
    seed: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> VibeVoiceModel:
    """A model of `FULL`, `LARGE` or `SMALL` size, the same for a seed on every machine."""
    weights = RandomWeights(
        seed, _CONSTANTS, gain=_GAIN, gains=_GAINS, device=device, dtype=dtype, layer=layer
    )
    return VibeVoiceModel(weights, sizes)
