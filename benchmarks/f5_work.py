"""How much F5-TTS computes and must hold, counted from its sizes.

Legend: n frames, R rows (two where guided), C hidden size.
"""

from __future__ import annotations

from ttsops.engines.f5.config import DiTConfig, F5Config, VocosConfig
from ttsops.engines.f5.dit import CONV_GROUPS, CONV_KERNEL

FLOAT_BYTES = 4


def network_flops(config: DiTConfig, n_frames: int, n_rows: int) -> float:
    """Of one step; a multiplication and an addition are two. At full size R · n · (379e6 + 90.1e3 · n)."""
    dim, inner = config.dim, config.heads * config.dim_head
    layers = 4 * dim * inner + 2 * config.ff_mult * dim * dim
    ends = (2 * config.n_mels + config.text_dim) * dim + dim * config.n_mels
    positions = 2 * dim * (dim // CONV_GROUPS) * CONV_KERNEL
    per_frame = 2 * (config.depth * (layers + 2 * inner * n_frames) + ends + positions)
    return n_rows * n_frames * per_frame


def text_flops(config: DiTConfig, n_frames: int, n_rows: int) -> float:
    """Of embedding one text; its depthwise convolutions are nothing beside it."""
    return n_rows * n_frames * config.conv_layers * 2 * (2 * config.text_dim * 2 * config.text_dim)


def vocoder_flops(config: VocosConfig, n_frames: int) -> float:
    """Of so many frames, without the surroundings of a window and without the Fourier transform."""
    blocks = config.num_layers * 2 * config.dim * config.intermediate_dim
    ends = 7 * config.input_channels * config.dim + config.dim * (config.n_fft + 2)
    return n_frames * 2 * (blocks + ends)


def activation_bytes(config: F5Config, n_frames: int, n_rows: int) -> int:
    """What one step must hold at its widest point, in fp32.

    That is attention: what goes around it and into it (2 C), queries, keys and values, and two of these
    turned by their positions; also noise, voice and text, once as a flow keeps them and once as a batch.
    """
    dit = config.dit
    inner = dit.heads * dit.dim_head
    shown = 2 * dit.n_mels + dit.text_dim
    return FLOAT_BYTES * n_rows * n_frames * (2 * dit.dim + 5 * inner + 2 * shown)
