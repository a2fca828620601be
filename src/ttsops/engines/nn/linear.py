"""The plain linear layer, and what every other form of it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from torch import Tensor
from torch.nn import functional


class Layer(Protocol):
    """y = x Wᵀ + b, however the weights are kept."""

    def __call__(self, x: Tensor) -> Tensor:
        """[..., I] → [..., O]."""
        ...


class Linear:
    """PyTorch's own product."""

    __slots__ = ("bias", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight  # [O, I]
        self.bias = bias  # [O]

    def __call__(self, x: Tensor) -> Tensor:
        """[..., I] → [..., O]."""
        return functional.linear(x, self.weight, self.bias)


MakeLayer: TypeAlias = Callable[[Tensor, Tensor | None], Layer]
"""Keeps a weight [O, I] and a bias [O] as suits the device."""
