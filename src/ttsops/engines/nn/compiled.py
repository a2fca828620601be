"""Compiling a network's hot method with weights of fixed shapes and inputs of any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

OWN = "ttsops."
"""Objects of these modules are looked into for weights."""


def compile_method(owner: object, name: str, **options: Any) -> None:
    """Replace `owner.name` by its compiled form, whose first call of each kind takes tens of seconds.

    Batch and length may change from call to call. Weights may not: left to itself, `dynamic=True` would take
    their shapes for changing as well, because they are not parameters of a `torch.nn.Module`.
    """
    for tensor in tensors_of(owner):
        torch._dynamo.mark_static(tensor)
    setattr(owner, name, torch.compile(getattr(owner, name), dynamic=True, **options))


def tensors_of(owner: object) -> Iterator[Tensor]:
    """Every tensor that `owner` holds, in its own attributes and in those of its parts, each once."""
    return _tensors_of(owner, set())


def _tensors_of(one: object, seen: set[int]) -> Iterator[Tensor]:
    if id(one) in seen:
        return
    seen.add(id(one))
    if isinstance(one, Tensor):
        yield one
    elif isinstance(one, list | tuple):
        for part in one:
            yield from _tensors_of(part, seen)
    elif type(one).__module__.startswith(OWN):
        slots = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
        for name in [*getattr(one, "__dict__", ()), *slots]:
            yield from _tensors_of(getattr(one, name, None), seen)
