"""An archive of models and voices onto this machine: verified while it is read, all of it or nothing.

Everything is written into a folder beside its place and moved when the last byte has been checked: a damaged
archive or a full disk leaves nothing behind.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ttsops.errors import BadArchive, ConfigError, ModelError
from ttsops.models.archive import (
    DATA,
    MANIFEST_NAME,
    PackedModel,
    PackManifest,
    compressed_reader,
    parse_pack_manifest,
)
from ttsops.models.cache import BLOBS, REFS, SNAPSHOTS, HubCache
from ttsops.models.checksums import GIT_SHA1, PIECE_BYTES, OnBytes, git_sha1_of, ignore
from ttsops.models.manifest import MAX_BYTES, ManifestFile

DRAFT = ".unpack-"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive brought."""

    models: tuple[PackedModel, ...]
    voices: tuple[str, ...]
    """Voices that are here now."""

    left: tuple[str, ...]
    """Voices that were here already, and stayed as they were."""


def unpack(
    archive: Path, cache: HubCache, voices: Path | None = None, on_bytes: OnBytes = ignore
) -> Unpacked:
    """Raises `BadArchive`, `ModelError` (cannot write), `ConfigError` (voices without a folder)."""
    with _clear_errors(archive), compressed_reader(archive) as stream, _draft(cache.folder) as draft:
        with tarfile.open(mode="r|", fileobj=stream) as tar:
            manifest = _read_manifest(tar)
            if manifest.voices and voices is None:
                raise ConfigError(
                    "the archive has voices, and there is no folder for them",
                    hint="give `--voices DIR`, or set `folder` in `[voices]`",
                )
            _check_space(manifest, cache.folder)
            _read_contents(tar, manifest, draft, on_bytes)
        if voices is None or not manifest.voices:
            _install(manifest, cache, draft)
            return Unpacked(manifest.models, (), ())
        with _draft(voices) as voices_draft:
            for file in manifest.voices:
                place = voices_draft / file.path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(draft / file.sha256, place)
            _install(manifest, cache, draft)
            here, left = _move_voices(voices_draft, voices)
    return Unpacked(manifest.models, here, left)


def _read_manifest(tar: tarfile.TarFile) -> PackManifest:
    first = tar.next()
    if first is None or first.name != MANIFEST_NAME or not first.isreg() or first.size > MAX_BYTES:
        raise BadArchive("it does not begin with a manifest", hint="`ttsops models pack` makes such archives")
    return parse_pack_manifest(_content(tar, first).read())


def _read_contents(tar: tarfile.TarFile, manifest: PackManifest, draft: Path, on_bytes: OnBytes) -> None:
    wanted = manifest.contents()
    while (member := tar.next()) is not None:
        sha256 = member.name.removeprefix(DATA)
        if not member.isreg():
            raise BadArchive(f"it has a member that is no plain file: `{member.name}`")
        if not member.name.startswith(DATA) or sha256 not in wanted:
            raise BadArchive(f"it has a file that its manifest does not know: `{member.name}`")
        if member.size != wanted.pop(sha256):
            raise BadArchive(f"`{member.name}` has {member.size} bytes, and should have another number")
        digest = hashlib.sha256()
        with _content(tar, member) as content, (draft / sha256).open("xb") as file:
            while piece := content.read(PIECE_BYTES):
                digest.update(piece)
                file.write(piece)
                on_bytes(len(piece))
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != sha256:
            raise BadArchive(f"`{member.name}` is damaged: its SHA-256 is {digest.hexdigest()}")
    if wanted:
        raise BadArchive(f"it ends early: {len(wanted)} files are missing")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    assert content is not None, "a regular file has content"
    return content


def _check_space(manifest: PackManifest, folder: Path) -> None:
    needed = sum(manifest.contents().values())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ModelError(
            f"there is no room in `{folder}`: it takes {needed / 2**20:.0f} MiB, "
            f"and {free / 2**20:.0f} are free",
            hint="free space, or set `cache` in `[hub]` to a folder on another disk",
        )


def _install(manifest: PackManifest, cache: HubCache, draft: Path) -> None:
    """Contents first, then the links to them: whatever cuts it off, no link leads nowhere."""
    for model in manifest.models:
        root = cache.repo_folder(model.repo)
        (root / BLOBS).mkdir(parents=True, exist_ok=True)
        for file in model.files:
            _install_blob(draft / file.sha256, root / BLOBS / (file.blob or file.sha256), file)
    for model in manifest.models:
        root = cache.repo_folder(model.repo)
        for file in model.files:
            link = root / SNAPSHOTS / model.revision / file.path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(root / BLOBS / (file.blob or file.sha256), link.parent))
        if model.ref:
            (root / REFS / model.ref).parent.mkdir(parents=True, exist_ok=True)
            (root / REFS / model.ref).write_text(model.revision)


def _install_blob(content: Path, blob: Path, file: ManifestFile) -> None:
    if GIT_SHA1.fullmatch(blob.name) and git_sha1_of(content) != blob.name:
        raise BadArchive(f"it names the blob of `{file.path}` wrongly: `{blob.name}`")
    # One content may be several files; and what is here already may be damaged.
    fresh = content.with_name(f"{content.name}.link")
    os.link(content, fresh)
    fresh.replace(blob)


def _move_voices(draft: Path, voices: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    here, left = [], []
    for entry in sorted(draft.iterdir()):
        if (voices / entry.name).exists():
            left.append(entry.name)
            continue
        entry.rename(voices / entry.name)
        here.append(entry.name)
    return tuple(here), tuple(left)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder inside `folder`, gone afterwards; `folder` too if it was made for it and nothing came."""
    was_there = folder.exists()
    draft = folder / f"{DRAFT}{secrets.token_hex(4)}"
    try:
        draft.mkdir(parents=True)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if not was_there:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def _clear_errors(archive: Path) -> Iterator[None]:
    try:
        yield
    except BadArchive as e:
        raise BadArchive(f"`{archive}` is not unpacked: {e.message}", hint=e.hint or "copy it again") from e
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise BadArchive(f"`{archive}` is damaged: {e or 'it ends early'}", hint="copy it again") from e
    except OSError as e:
        what = f" (`{e.filename}`)" if e.filename else ""
        raise ModelError(
            f"cannot unpack `{archive}`: {e.strerror or e}{what}; nothing of it was kept",
            hint="free space, or check rights",
        ) from e
