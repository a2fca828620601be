"""The header of a safetensors file, read with bounds and without the library that loads it.

A file is eight bytes, little-endian: the header's length; the header, a JSON object of tensor names with
dtype, shape and [begin, end) of the data behind it; the data, without holes. https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ttsops.errors import ModelError

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 100_000_000
"""The limit of the format."""

METADATA = "__metadata__"

BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""Of one element; a dtype that is not here is taken as it is."""

Dimension = Annotated[int, Meta(ge=0)]


class Tensor(Struct, frozen=True):
    """What a header says of one tensor."""

    dtype: str
    shape: tuple[Dimension, ...]
    data_offsets: tuple[Dimension, Dimension]

    @property
    def n_elements(self) -> int:
        """Product of the shape."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """All tensors of one file."""

    tensors: Mapping[str, Tensor]
    data_start: int
    """Where in the file the data begins."""

    @property
    def n_parameters(self) -> int:
        """Elements of all tensors."""
        return sum(tensor.n_elements for tensor in self.tensors.values())

    @property
    def n_data_bytes(self) -> int:
        """Where in the data the last tensor ends."""
        return max((tensor.data_offsets[1] for tensor in self.tensors.values()), default=0)


def read_header(path: Path) -> Header:
    """The header at `path`, checked against the file's size. Raises `ModelError` saying what is wrong."""
    try:
        n_bytes = path.stat().st_size
        with path.open("rb") as file:
            if n_bytes < LENGTH_BYTES:
                raise ModelError(f"it is cut short: {n_bytes} bytes, less than a header")
            length = int.from_bytes(file.read(LENGTH_BYTES), "little")
            if length > MAX_HEADER_BYTES:
                raise ModelError(f"its header claims {length} bytes: it is no safetensors file, or damaged")
            if LENGTH_BYTES + length > n_bytes:
                raise ModelError(f"it is cut short: the header alone has {length} bytes, the file {n_bytes}")
            text = file.read(length)
    except OSError as e:
        raise ModelError(f"it cannot be read: {e.strerror or e}") from e
    return _checked(text, LENGTH_BYTES + length, n_bytes)


def _checked(text: bytes, data_start: int, n_bytes: int) -> Header:
    try:
        tree = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        tree.pop(METADATA, None)
        tensors = {name: msgspec.json.decode(raw, type=Tensor) for name, raw in tree.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise ModelError(f"its header is damaged: {e}") from e
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        begin, stop = tensor.data_offsets
        if begin != end or stop < begin:
            raise ModelError(f"its header is damaged: tensor `{name}` is at {begin} to {stop}, not at {end}")
        bits = BITS.get(tensor.dtype)
        if bits is not None and tensor.n_elements * bits != (stop - begin) * 8:
            raise ModelError(f"its header is damaged: tensor `{name}` has {stop - begin} bytes")
        end = stop
    if data_start + end != n_bytes:
        what = "cut short" if data_start + end > n_bytes else "too long"
        raise ModelError(f"it is {what}: {n_bytes} bytes, and its header tells of {data_start + end}")
    return Header(tensors, data_start)


def count_parameters(folder: Path) -> int:
    """Elements of all whole safetensors files at `folder`, a file or a folder."""
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.safetensors"))
    total = 0
    for path in paths:
        try:
            total += read_header(path).n_parameters
        except ModelError:
            continue  # whoever loads it says so
    return total
