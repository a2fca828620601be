"""A block of the acoustic decoder on a CPU as two native calls instead of some twenty passes over memory.

Legend: B utterances, T time steps, C channels, S slots.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ttsops.engines.nn.few_rows import PackedLinear
from ttsops.engines.nn.native import native_part

TAPS = 7


def mix(
    x: Tensor, state: Tensor, slots: Tensor, norm: Tensor, eps: float, taps: Tensor, bias: Tensor
) -> Tensor:
    """x [B, T, C] + bias [C] + a causal depthwise convolution of its RMS norm; `taps` [7, C].

    `state` [S, 6, C] holds the last normalised inputs of each slot; those of `slots` [B] are moved on.
    """
    assert all(one.is_contiguous() and one.dtype == torch.float32 for one in (x, state, norm, taps, bias))
    n, n_steps, channels = x.shape
    assert state.shape[1:] == (TAPS - 1, channels)
    assert taps.shape == (TAPS, channels)
    slots = slots.to(torch.int64).contiguous()
    library = native_part()
    assert library is not None
    y = torch.empty_like(x)
    library.mix(
        x.data_ptr(),
        y.data_ptr(),
        n,
        n_steps,
        channels,
        state.data_ptr(),
        slots.data_ptr(),
        norm.data_ptr(),
        eps,
        taps.data_ptr(),
        bias.data_ptr(),
        torch.get_num_threads(),
    )
    return y


def feed_forward(x: Tensor, norm: Tensor, eps: float, up: PackedLinear, down: PackedLinear) -> Tensor:
    """x [B, T, C] + down(gelu(up(rms_norm(x)))), in place."""
    assert x.is_contiguous()
    assert x.dtype == torch.float32
    assert (up.n_in, up.n_out) == (down.n_out, down.n_in) == (x.shape[-1], up.n_out)
    library = native_part()
    assert library is not None
    library.feed_forward(
        up.packed,
        down.packed,
        x.data_ptr(),
        x.numel() // up.n_in,
        norm.data_ptr(),
        eps,
        torch.get_num_threads(),
    )
    return x
