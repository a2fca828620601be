"""Models and voices into one archive; only what is whole is packed."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import msgspec

from ttsops.audio import atomic_file
from ttsops.errors import ModelError
from ttsops.models.archive import DATA, MANIFEST_NAME, PackedModel, PackManifest, compressed_writer
from ttsops.models.cache import Snapshot
from ttsops.models.checksums import OnBytes, ignore, sha256_of
from ttsops.models.manifest import ManifestFile
from ttsops.models.verify import list_files, verify


def pack(
    target: Path, snapshots: Sequence[Snapshot], voices: Path | None = None, on_bytes: OnBytes = ignore
) -> PackManifest:
    """Write the archive `target`, whole or not at all. Every byte is read twice.

    Raises `ModelError` for a model that is not whole, `AudioError` if the archive cannot be written.
    """
    models = tuple(_packed(snapshot, on_bytes) for snapshot in snapshots)
    places = {
        file.sha256: snapshot.folder / file.path
        for snapshot, model in zip(snapshots, models, strict=True)
        for file in model.files
    }
    kept = _voices(voices, on_bytes) if voices else {}
    places |= {file.sha256: place for file, place in kept.items()}
    manifest = PackManifest(models, tuple(kept))
    if not places:
        raise ModelError("there is nothing to pack", hint="name a model that is here: `ttsops models list`")
    with (
        atomic_file(target) as file,
        compressed_writer(target, file) as stream,
        tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT) as tar,
    ):
        text = msgspec.json.encode(manifest)
        _add(tar, MANIFEST_NAME, len(text), io.BytesIO(text))
        for sha256, n_bytes in manifest.contents().items():
            _add_content(tar, sha256, n_bytes, places[sha256], on_bytes)
    return manifest


def _packed(snapshot: Snapshot, on_bytes: OnBytes) -> PackedModel:
    entry, source = snapshot.entry, snapshot.source
    if not source.repo:
        raise ModelError(f"`{entry.name}` is a folder, not in the hub's cache", hint="copy the folder itself")
    report = verify(snapshot, on_bytes=on_bytes)
    if not report.is_whole:
        first = report.problems[0]
        raise ModelError(
            f"`{entry.name}` is not whole: `{first.file}` {first.what}",
            hint=f"`ttsops models verify {entry.name}` names everything that is wrong",
        )
    own = entry.sources[0]
    ref = own.revision if own.repo == source.repo and not own.is_fixed else ""
    return PackedModel(entry.name, source.repo, source.revision, tuple(report.files), ref=ref)


def _voices(folder: Path, on_bytes: OnBytes) -> dict[ManifestFile, Path]:
    """Every file of every voice; links are not followed."""
    return {
        ManifestFile(path, place.stat().st_size, sha256_of(place, on_bytes)): place
        for path, place in sorted(list_files(folder))
        if place.is_file() and not place.is_symlink()
    }


def _add(tar: tarfile.TarFile, name: str, n_bytes: int, content: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = n_bytes, 0o644
    tar.addfile(info, content)


def _add_content(tar: tarfile.TarFile, sha256: str, n_bytes: int, place: Path, on_bytes: OnBytes) -> None:
    try:
        with place.open("rb") as content:
            hashed = _Hashed(content, on_bytes)
            _add(tar, DATA + sha256, n_bytes, cast(IO[bytes], hashed))
    except OSError as e:
        raise ModelError(f"cannot read `{place}`: {e.strerror or e}") from e
    if hashed.digest.hexdigest() != sha256:
        raise ModelError(f"`{place}` changed while it was packed", hint="pack again")


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes], on_bytes: OnBytes) -> None:
        self._file = file
        self._on_bytes = on_bytes
        self.digest = hashlib.sha256()

    def read(self, n_bytes: int = -1) -> bytes:
        data = self._file.read(n_bytes)
        self.digest.update(data)
        self._on_bytes(len(data))
        return data
