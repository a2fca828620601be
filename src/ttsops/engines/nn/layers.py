"""The smallest pieces: linear layers whose weights may be fused from several, embeddings, and RMS norm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.linear import Layer, MakeLayer
from ttsops.engines.nn.weights import Weights


def load_linear(
    weights: Weights,
    name: str,
    n_in: int,
    n_out: int,
    *,
    has_bias: bool = True,
    dtype: torch.dtype | None = None,
    layer: MakeLayer | None = None,
) -> Layer:
    """The layer whose tensors are `name.weight` and `name.bias`.

    `dtype` None is the network's; `layer` is how it is kept, as `weights` says if None.
    """
    return load_fused(weights, [(name, n_out)], n_in, has_bias=has_bias, dtype=dtype, layer=layer)


def load_fused(
    weights: Weights,
    parts: Sequence[tuple[str, int]],
    n_in: int,
    *,
    has_bias: bool,
    dtype: torch.dtype | None = None,
    layer: MakeLayer | None = None,
) -> Layer:
    """Layers with one input as a single product, their outputs side by side."""
    weight = [weights.take(f"{name}.weight", n_out, n_in, dtype=dtype) for name, n_out in parts]
    bias = [weights.take(f"{name}.bias", n_out, dtype=dtype) for name, n_out in parts] if has_bias else []
    return (layer or weights.layer)(_joined(weight), _joined(bias) if bias else None)


def load_table(weights: Weights, name: str, n_rows: int, width: int) -> Tensor:
    """Embeddings [n_rows, width], in the format they are stored in if that is no wider than the network's.

    Rows are looked up and never multiplied: a wider copy of a large table would only take memory.
    """
    dtype = min(weights.stored_dtype(name), weights.dtype, key=lambda one: one.itemsize)
    return weights.take(name, n_rows, width, dtype=dtype)


def rms_norm(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """x / sqrt(mean(x²) + eps) · weight over the last dimension."""
    return functional.rms_norm(x, x.shape[-1:], weight, eps)


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))
