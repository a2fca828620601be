"""One file with models and voices, for a machine without a network: what it says of itself, and its outside.

A tar of plain files: `ttsops-pack.json` first, then `data/SHA256` for each content, once. Names in it never
become paths: the manifest says where each content belongs, and is checked before anything is written.
"""

from __future__ import annotations

import gzip
import importlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Literal, cast

import msgspec
from msgspec import Struct

from ttsops import __version__
from ttsops.errors import BadArchive, InvalidValue
from ttsops.models.catalogue import COMMIT, Source, check_source
from ttsops.models.checksums import GIT_SHA1, SHA256
from ttsops.models.manifest import ManifestFile, ManifestModel, is_inside

FORMAT: Literal["ttsops-pack/1"] = "ttsops-pack/1"
MANIFEST_NAME = "ttsops-pack.json"
DATA = "data/"
GZIP_LEVEL = 1
"""Weights hardly get smaller; more effort only takes longer."""


class PackedModel(ManifestModel, frozen=True):
    """A model of an archive; `revision` is a commit."""

    ref: str = ""
    """The branch or tag by which the catalogue names that commit; empty for the commit itself."""


class PackManifest(Struct, frozen=True):
    """All that is in an archive."""

    models: tuple[PackedModel, ...] = ()
    voices: tuple[ManifestFile, ...] = ()
    format: Literal["ttsops-pack/1"] = FORMAT
    made_by: str = f"tts-ops {__version__}"

    def contents(self) -> dict[str, int]:
        """SHA-256 → bytes of every content, in the order of the archive."""
        files = [file for model in self.models for file in model.files] + list(self.voices)
        return {file.sha256: file.n_bytes for file in files}


def parse_pack_manifest(data: bytes) -> PackManifest:
    """Raises `BadArchive` for what is no manifest, or says what must not be done."""
    try:
        manifest = msgspec.json.decode(data, type=PackManifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise BadArchive(f"its `{MANIFEST_NAME}` cannot be read: {e}") from e
    sizes: dict[str, int] = {}
    for model in manifest.models:
        _check_model(model)
    for file in [*(file for model in manifest.models for file in model.files), *manifest.voices]:
        if not is_inside(file.path) or any(part.startswith(".") for part in file.path.split("/")):
            raise BadArchive(f"it names a file outside its folder, or a hidden one: `{file.path}`")
        if sizes.setdefault(file.sha256, file.n_bytes) != file.n_bytes:
            raise BadArchive(f"it gives one content two sizes: {file.sha256}")
    return manifest


def _check_model(model: PackedModel) -> None:
    try:
        check_source(Source(model.repo, model.ref or model.revision))
    except InvalidValue as e:
        raise BadArchive(f"it has a model of a wrong name: {e.message}") from e
    if not COMMIT.fullmatch(model.revision):
        raise BadArchive(f"it has a model of no commit: `{model.revision}`")
    for file in model.files:
        is_large = SHA256.fullmatch(file.blob) and file.blob == file.sha256
        if file.blob and not is_large and not GIT_SHA1.fullmatch(file.blob):
            raise BadArchive(f"it names a blob wrongly: `{file.blob}`")


def compressed_writer(path: Path, target: Any) -> AbstractContextManager[IO[bytes]]:
    """A stream into `target`, compressed as the suffix of `path` says. Raises `InvalidValue`."""
    match path.suffixes[-2:]:
        case [*_, ".tar"]:
            return _Plain(target)
        case [".tar", ".gz"] | [*_, ".tgz"]:
            packed = gzip.GzipFile("", "wb", GZIP_LEVEL, fileobj=cast(Any, _Plain(target)), mtime=0)
            return cast(AbstractContextManager[IO[bytes]], packed)
        case [".tar", ".zst"]:
            return cast(AbstractContextManager[IO[bytes]], _zstd().ZstdFile(_Plain(target), "w"))
    raise InvalidValue(
        f"`{path.name}` is no name of an archive", hint="end it with .tar, .tar.gz or .tar.zst"
    )


def compressed_reader(path: Path) -> IO[bytes]:
    """The tar inside; how it is compressed is told by its first bytes. Raises `OSError`."""
    file = path.open("rb")
    start = file.read(4)
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        file.close()
        return cast(IO[bytes], gzip.open(path))
    if start == b"\x28\xb5\x2f\xfd":
        file.close()
        return cast(IO[bytes], _zstd().ZstdFile(path))
    return file


class _Plain:
    """A stream to a `FileWriter`."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        self._target.write(data)
        return len(data)

    def flush(self) -> None:
        return

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        return


def _zstd() -> Any:
    try:
        return importlib.import_module("compression.zstd")
    except ImportError as e:
        raise InvalidValue(
            "zstd needs Python 3.14", hint="name the archive .tar or .tar.gz; weights hardly get smaller"
        ) from e
