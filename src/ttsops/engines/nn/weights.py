"""Where a network's tensors come from: a published checkpoint, read strictly, or a seeded random generator.

A network asks for each tensor by name and shape while it is built, so that no weight is ever held twice, and
`finish` names every tensor that was missing, had another shape, or was left over.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.errors import EngineUnavailable

N_LISTED = 8
"""Tensor names told in an error; a wrong checkpoint may have a thousand."""

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PICKLED = (".bin", ".pt", ".pth")
"""Endings of files in PyTorch's own format."""


VECTOR_SIZE = 0.1
"""Of the elements of a random bias or layer scale."""


_STORED = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
"""Formats of weights, as safetensors names them."""


class Weights(Protocol):
    """Tensors by name."""

    device: torch.device
    dtype: torch.dtype
    layer: MakeLayer
    """How a linear layer is kept; what it is given is not needed afterwards."""

    def take(
        self, name: str, *shape: int, dtype: torch.dtype | None = None, fan_in: int | None = None
    ) -> Tensor:
        """The tensor, in `dtype` (the network's own if None), on the device.

        `fan_in` is how many inputs one output sums, where the shape does not say it: random weights need it.
        """
        ...

    def stored_dtype(self, name: str) -> torch.dtype:
        """The format in which the tensor was published."""
        ...

    def finish(self, ignored: Sequence[str] = ()) -> None:
        """Everything was taken. Raises `EngineUnavailable` for tensors that did not fit."""
        ...


class CheckpointWeights:
    """A safetensors file, or a folder with one or with shards and their index. A context manager.

    A file in PyTorch's own format will do as well; only tensors are read from it, never code.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        layer: MakeLayer = Linear,
    ) -> None:
        """Raises `EngineUnavailable` if there is no readable checkpoint at `path`."""
        self.layer = layer
        self.device = device or torch.device("cpu")
        self.dtype = dtype
        self._path = path
        self._open_files = ExitStack()
        self._file_of: dict[str, Any] = {}
        self._taken: set[str] = set()
        self._missing: list[str] = []
        self._misshapen: list[str] = []
        try:
            for file in _files(path):
                handle: Any = (
                    _PickledFile(file)
                    if file.suffix in PICKLED
                    else self._open_files.enter_context(safe_open(file, framework="pt"))
                )
                self._file_of |= dict.fromkeys(handle.keys(), handle)
        except (OSError, SafetensorError, ValueError, KeyError, RuntimeError, UnpicklingError) as e:
            self._open_files.close()
            raise EngineUnavailable(f"no checkpoint can be read at `{path}`: {e}") from e

    def __enter__(self) -> CheckpointWeights:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open_files.close()

    @property
    def names(self) -> Collection[str]:
        """Of every tensor it holds."""
        return self._file_of.keys()

    def take(
        self, name: str, *shape: int, dtype: torch.dtype | None = None, fan_in: int | None = None
    ) -> Tensor:
        """A missing or misshapen tensor is noted for `finish` and stands in as zeros."""
        dtype = dtype or self.dtype
        self._taken.add(name)
        file = self._file_of.get(name)
        if file is None:
            self._missing.append(name)
            return torch.zeros(shape, dtype=dtype, device=self.device)
        found = tuple(file.get_slice(name).get_shape())
        if found != shape:
            self._misshapen.append(f"{name} is {list(found)}, not {list(shape)}")
            return torch.zeros(shape, dtype=dtype, device=self.device)
        tensor: Tensor = file.get_tensor(name)
        # The file is mapped into memory; a copy is what outlives it.
        return tensor.to(self.device, dtype, copy=True)

    def stored_dtype(self, name: str) -> torch.dtype:
        """The network's own for a tensor that is missing."""
        file = self._file_of.get(name)
        return self.dtype if file is None else _STORED.get(file.get_slice(name).get_dtype(), self.dtype)

    def finish(self, ignored: Sequence[str] = ()) -> None:
        """`ignored` are the beginnings of names that may be left over."""
        unknown = [
            name for name in sorted(self._file_of.keys() - self._taken) if not name.startswith(tuple(ignored))
        ]
        faults = [
            f"{len(names)} {what}: {_listed(names)}"
            for what, names in (
                ("missing", self._missing),
                ("of another shape", self._misshapen),
                ("unknown", unknown),
            )
            if names
        ]
        if faults:
            raise EngineUnavailable(
                f"the checkpoint `{self._path}` is not one of this model: " + "; ".join(faults),
                hint="give the folder of the published checkpoint, with the config.json that came with it",
            )


class _PickledFile:
    """Tensors of a file in PyTorch's own format, asked for as those of a safetensors file are."""

    def __init__(self, path: Path) -> None:
        """Raises `UnpicklingError` for anything but tensors, `ValueError` for no table of them."""
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(loaded, dict) or not all(isinstance(one, Tensor) for one in loaded.values()):
            raise ValueError("it holds no table of tensors")
        self._tensors: dict[str, Tensor] = loaded

    def keys(self) -> Sequence[str]:
        return list(self._tensors)

    def get_slice(self, name: str) -> _Shape:
        return _Shape(self._tensors[name])

    def get_tensor(self, name: str) -> Tensor:
        return self._tensors[name]


class _Shape:
    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def get_shape(self) -> list[int]:
        return list(self._tensor.shape)


class RandomWeights:
    """Seeded noise in a network's shapes: for benchmarks and tests. What it says is noise, not speech."""

    def __init__(
        self,
        seed: int,
        constants: Mapping[str, float] | None = None,
        *,
        gain: float = 1.0,
        gains: Mapping[str, float] | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        layer: MakeLayer = Linear,
    ) -> None:
        """`constants` fills the tensors of these names with one value.

        A layer gives `gain` times the size of what it takes, or what `gains` says of its weight.
        """
        self.layer = layer
        self.device = device or torch.device("cpu")
        self.dtype = dtype
        self._seed = seed
        self._constants = constants or {}
        self._gain = gain
        self._gains = gains or {}

    def take(
        self, name: str, *shape: int, dtype: torch.dtype | None = None, fan_in: int | None = None
    ) -> Tensor:
        """The same for a name and seed, whatever else was taken before."""
        dtype = dtype or self.dtype
        constant = self._constants.get(name)
        if constant is None and name.endswith("norm.weight"):
            constant = 1.0
        if constant is not None:
            return torch.full(shape, constant, dtype=dtype, device=self.device)
        # The generator's state comes from 32 bits of its seed only: both must be mixed into them.
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self._seed} {name}".encode()))
        noise = torch.randn(shape, generator=generator)
        if len(shape) < 2:
            noise *= VECTOR_SIZE
        else:
            noise *= self._gains.get(name, self._gain) * (fan_in or math.prod(shape[1:])) ** -0.5
        return noise.to(self.device, dtype)

    def stored_dtype(self, name: str) -> torch.dtype:
        """As large models are published."""
        return torch.bfloat16

    def finish(self, ignored: Sequence[str] = ()) -> None:
        """Nothing can be missing or left over."""


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    index = path / INDEX_FILE
    if not index.exists():
        return [path / SINGLE_FILE]
    shards: Mapping[str, str] = json.loads(index.read_text())["weight_map"]
    return [path / Path(name).name for name in sorted(set(shards.values()))]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - N_LISTED} more" if len(names) > N_LISTED else ""
    return ", ".join(names[:N_LISTED]) + more
