"""The index of a checkpoint in shards, against the shards: which file has which tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from ttsops.errors import ModelError
from ttsops.models.manifest import is_inside
from ttsops.models.safetensors import Header, read_header

N_LISTED = 3
"""Tensor names told of one mistake; a lost shard has hundreds."""


class Index(Struct, frozen=True):
    """As transformers writes it."""

    weight_map: dict[str, str]
    metadata: dict[str, Any] = {}


def check_index(path: str, place: Path) -> Iterator[tuple[str, str]]:
    """What is wrong: file inside the model, and a sentence without its subject.

    `path` is the index's place inside the model, `place` its place on the disk.
    """
    try:
        index = msgspec.json.decode(place.read_bytes(), type=Index)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as e:
        yield path, f"is no index of shards: {e}"
        return
    tensors_of: dict[str, set[str]] = {}
    for tensor, shard in index.weight_map.items():
        tensors_of.setdefault(shard, set()).add(tensor)
    if not tensors_of:
        yield path, "names no tensor"
    headers: dict[str, Header] = {}
    for shard, tensors in sorted(tensors_of.items()):
        shard_path = (PurePosixPath(path).parent / shard).as_posix()
        if not is_inside(shard):
            yield path, f"names a shard outside its folder: `{shard}`"
            continue
        shard_place = place.parent / shard
        if not shard_place.exists():
            yield shard_path, f"is not here, and {len(tensors)} tensors are in it"
            continue
        try:
            headers[shard] = read_header(shard_place)
        except ModelError:
            continue  # told of the shard itself
        found = headers[shard].tensors.keys()
        yield from _differences(path, shard, tensors - found, found - tensors)
    if len(headers) == len(tensors_of):
        yield from _check_size(path, index.metadata, headers)


def _differences(path: str, shard: str, absent: set[str], unlisted: set[str]) -> Iterator[tuple[str, str]]:
    if absent:
        yield path, f"says that `{shard}` has {len(absent)} tensors which it has not: {_listed(absent)}"
    if unlisted:
        yield path, f"does not know {len(unlisted)} tensors of `{shard}`: {_listed(unlisted)}"


def _check_size(
    path: str, metadata: Mapping[str, Any], headers: Mapping[str, Header]
) -> Iterator[tuple[str, str]]:
    total = metadata.get("total_size")
    n_bytes = sum(header.n_data_bytes for header in headers.values())
    if isinstance(total, int) and total != n_bytes:
        yield path, f"says that the tensors have {total} bytes, and they have {n_bytes}"


def _listed(names: set[str]) -> str:
    more = f" and {len(names) - N_LISTED} more" if len(names) > N_LISTED else ""
    return ", ".join(f"`{name}`" for name in sorted(names)[:N_LISTED]) + more
