"""Reads the published voice prompts (`.pt`: zip and pickle) without running any code they hold.

The unpickler knows six names and maps each to a plain holder; any other name is refused. Tensors are read
from the zip's own entries, wherever they were saved from.
https://pytorch.org/docs/stable/notes/serialization.html describes the format.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ttsops.engines.vibevoice_realtime.voice_state import (
    CachedPrompt,
    VoiceState,
    describe_voice,
    make_voice_state,
    save_voice,
)
from ttsops.errors import InvalidValue

MAX_FILE_BYTES = 256 * 1024 * 1024
"""The largest published prompt has 4 MB."""

MAX_PICKLE_BYTES = 1024 * 1024


class _Output(dict[str, Any]):
    """Stands in for `BaseModelOutputWithPast`: its fields are set as items."""

    def __init__(self, *fields: object) -> None:
        super().__init__()


class _Cache:
    """Stands in for `DynamicCache`: its lists are set as attributes."""

    key_cache: list[Tensor]
    value_cache: list[Tensor]


def _rebuild_tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    if len(size) != len(stride) or math.prod(size) > storage.numel():
        raise ValueError("a tensor is larger than its storage")
    return storage.as_strided(size, stride, offset)


_KNOWN: Mapping[tuple[str, str], object] = {
    ("collections", "OrderedDict"): dict,
    ("torch", "BFloat16Storage"): torch.bfloat16,
    ("torch", "FloatStorage"): torch.float32,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("transformers.cache_utils", "DynamicCache"): _Cache,
    ("transformers.modeling_outputs", "BaseModelOutputWithPast"): _Output,
}


class _VoiceUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, read_storage: Callable[[str, torch.dtype], Tensor]) -> None:
        super().__init__(io.BytesIO(data))
        self._read_storage = read_storage

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names `{module}.{name}`, which no voice needs") from None

    def persistent_load(self, pid: Any) -> Tensor:
        _kind, dtype, key, _location, _n_elements = pid
        return self._read_storage(key, dtype)


def read_prompt(path: Path) -> VoiceState:
    """The state in a published voice prompt. Raises `InvalidValue` if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            tree = _unpickle(archive)
        return make_voice_state(*(_cached_prompt(tree[name]) for name in ("lm", "tts_lm", "neg_tts_lm")))
    except Exception as e:  # a damaged pickle can fail in any way; nothing of it was run
        reason = f"`{e.args[0]}` is missing" if isinstance(e, KeyError) else str(e)
        raise InvalidValue(
            f"`{path}` is no voice prompt of VibeVoice-Realtime: {reason}", param="voice"
        ) from e


def import_voice(path: Path, folder: Path) -> Path:
    """Convert a published prompt into `folder`; gives the manifest's path. Raises as `read_prompt` does."""
    state = read_prompt(path)
    source = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return save_voice(folder, describe_voice(path.stem), state, source)


def _unpickle(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    entries = {entry.filename: entry for entry in archive.infolist()}
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1 or sum(entry.file_size for entry in entries.values()) > MAX_FILE_BYTES:
        raise ValueError("it is not laid out as one, or far too large")
    root = pickles[0].removesuffix("data.pkl")
    if entries[pickles[0]].file_size > MAX_PICKLE_BYTES:
        raise ValueError("its index is far too large")
    if f"{root}byteorder" in entries and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("its numbers are big-endian")

    def read_storage(key: str, dtype: torch.dtype) -> Tensor:
        return torch.frombuffer(bytearray(archive.read(f"{root}data/{key}")), dtype=dtype)

    tree = _VoiceUnpickler(archive.read(pickles[0]), read_storage).load()
    if not isinstance(tree, dict):
        raise TypeError("its content is not a dictionary")
    return tree


def _cached_prompt(output: _Output) -> CachedPrompt:
    cache: _Cache = output["past_key_values"]
    return CachedPrompt(cache.key_cache, cache.value_cache, output["last_hidden_state"])
