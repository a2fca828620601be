"""An export on disk: two graphs, and a manifest that says of which weights they are and what made them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from ttsops.engines.f5.card import F5Options
from ttsops.engines.f5.checkpoint import find_checkpoint, find_vocos
from ttsops.errors import EngineUnavailable, NotInstalled

MANIFEST_FILE = "manifest.json"
DIT_FILE, VOCOS_FILE = "dit.onnx", "vocos.onnx"

FORMAT = 1
"""Of the manifest and of what the graphs take."""

Dtype = Literal["fp32", "fp16"]

Shape = Sequence[int | str]
"""A name is a size that may change from call to call."""

_CHUNK_BYTES = 1 << 20


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Which weights a model has: by the content of their files, or by a seed."""

    checkpoint_sha256: str = ""
    vocoder_sha256: str = ""
    random_weights: str = ""
    random_seed: int = 0

    @property
    def description(self) -> str:
        """For messages."""
        if self.random_weights:
            return f"random weights ({self.random_weights}, seed {self.random_seed})"
        return f"weights {self.checkpoint_sha256[:12]}… with vocoder {self.vocoder_sha256[:12]}… (SHA-256)"


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """What one graph takes and gives, by name."""

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is known of an export without opening its graphs."""

    format: Literal[1] = 1
    engine: Literal["f5"] = "f5"
    origin: Origin
    dtype: Dtype
    """Of the network; the vocoder is always fp32."""

    opset: int
    graphs: Mapping[str, Graph]
    """By file name."""

    files: Mapping[str, str]
    """SHA-256 of every file but the manifest, by name."""

    versions: Mapping[str, str]
    """Of the packages it was made with."""


def origin_of(options: F5Options) -> Origin:
    """Reads the files to their ends. Raises `EngineUnavailable` if they cannot be read, or none are named."""
    if options.random_weights:
        return Origin(random_weights=options.random_weights, random_seed=options.random_seed)
    checkpoint = find_checkpoint(Path(options.model))
    vocoder, _ = find_vocos(checkpoint.parent, Path(options.vocoder) if options.vocoder else None)
    try:
        return Origin(checkpoint_sha256=sha256_of(checkpoint), vocoder_sha256=sha256_of(vocoder))
    except OSError as e:
        raise EngineUnavailable(f"no checkpoint can be read at `{options.model}`: {e}") from e


def read_manifest(folder: Path) -> Manifest:
    """Raises `EngineUnavailable` if `folder` is no export of this engine, or one of another version."""
    try:
        return msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as e:
        raise EngineUnavailable(
            f"`{folder}` is no ONNX export of engine `f5`: {e}",
            hint="make one: `ttsops export onnx --engine f5 --model … --out DIR`",
        ) from e


def check_origin(manifest: Manifest, options: F5Options) -> None:
    """Raises `EngineUnavailable` if the export is of other weights than `options` name."""
    origin = origin_of(options)
    if manifest.origin != origin:
        raise EngineUnavailable(
            f"the export is of {manifest.origin.description}, the engine is set up with {origin.description}",
            hint="export these weights again: `ttsops export onnx`",
        )


def changed_files(folder: Path, manifest: Manifest) -> list[str]:
    """Names of files that are not there any more or are not what was written."""
    return [
        name
        for name, written in manifest.files.items()
        if Path(name).name != name or not (folder / name).is_file() or sha256_of(folder / name) != written
    ]


def sha256_of(path: Path) -> str:
    """Of a file's content, which need not fit into memory. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def require(purpose: str, *modules: str) -> None:
    """Raises `NotInstalled` for the first of `modules` that is not there: they come with the extra `onnx`."""
    for module in modules:
        if find_spec(module) is None:
            raise NotInstalled(
                f"{purpose} needs the package `{module}`, which is not installed",
                hint="pip install 'tts-ops[f5,onnx]'",
            )
