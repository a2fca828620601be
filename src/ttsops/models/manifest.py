"""What a model's files were, written down: sizes and checksums, to compare against later or elsewhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ttsops.audio import write_atomically
from ttsops.errors import ModelError

FORMAT: Literal["ttsops-models/1"] = "ttsops-models/1"
MAX_BYTES = 64 * 2**20
"""Of a manifest; a model has tens of files."""

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class FileFacts(Struct, frozen=True, array_like=True):
    """What is known of one file."""

    path: str
    """Inside the model, with `/`."""

    n_bytes: Annotated[int, Meta(ge=0)] | None = None
    sha256: Sha256 | None = None


class ManifestFile(Struct, frozen=True, rename={"n_bytes": "bytes"}):
    """One file as it was found."""

    path: str
    n_bytes: Annotated[int, Meta(ge=0)]
    sha256: Sha256
    blob: str = ""
    """Its name in the hub's cache; empty for a plain file."""


class ManifestModel(Struct, frozen=True):
    """One model as it was found."""

    name: str
    repo: str
    revision: str
    files: tuple[ManifestFile, ...]


class Manifest(Struct, frozen=True):
    """All that was recorded."""

    models: tuple[ManifestModel, ...]
    format: Literal["ttsops-models/1"] = FORMAT

    def find(self, name: str, repo: str = "") -> ManifestModel | None:
        """The model of that name, or of that repository."""
        named = [model for model in self.models if model.name.lower() == name.lower()]
        same = [model for model in self.models if repo and model.repo == repo]
        return next(iter([*named, *same]), None)

    def files_of(self, name: str, repo: str = "") -> tuple[FileFacts, ...]:
        """What it says of that model's files; nothing if it does not know the model."""
        model = self.find(name, repo)
        return tuple(FileFacts(f.path, f.n_bytes, f.sha256) for f in model.files) if model else ()


def is_inside(path: str) -> bool:
    """Whether `path` stays in the folder it is joined to."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith("/")
        and not any(part == ".." or "\\" in part or "\0" in part for part in parts)
    )


def parse_manifest(data: bytes, what: str) -> Manifest:
    """Raises `ModelError` for what is no manifest, or names files outside its models."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise ModelError(
            f"{what} is no manifest of models: {e}",
            hint="`ttsops models verify --save-manifest FILE` makes one",
        ) from e
    outside = [file.path for model in manifest.models for file in model.files if not is_inside(file.path)]
    if outside:
        raise ModelError(f"{what} names a file outside its model: `{outside[0]}`")
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Raises `ModelError` if it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"`{path}` is too large for a manifest")
        data = path.read_bytes()
    except OSError as e:
        raise ModelError(f"cannot read the manifest `{path}`: {e.strerror or e}") from e
    return parse_manifest(data, f"`{path}`")


def save_manifest(path: Path, manifest: Manifest) -> None:
    """Whole or not at all. Raises `AudioError` if it cannot be written."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
