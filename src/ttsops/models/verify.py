"""Whether weights are the ones, and whole: every file's presence, size, checksum and form.

What a file is compared with, in this order: what the caller brings (a manifest), the catalogue where the
snapshot is of its revision, and the name of the blob in the hub's cache, which is a checksum.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ttsops.errors import ModelError
from ttsops.models.cache import BLOBS, SNAPSHOTS, Snapshot
from ttsops.models.checksums import GIT_SHA1, SHA256, OnBytes, git_sha1_of, ignore, sha256_of
from ttsops.models.index import check_index
from ttsops.models.manifest import FileFacts, ManifestFile, ManifestModel
from ttsops.models.safetensors import read_header

INDEX_SUFFIX = ".safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that is not as it should be."""

    file: str
    """Inside the model."""

    kind: str
    """`missing`, `nowhere`, `empty`, `size`, `checksum`, `form`, `index` or `unreadable`."""

    what: str
    """A sentence without its subject: "is cut short"."""


@dataclass(slots=True)
class Report:
    """What was found in one model."""

    snapshot: Snapshot
    problems: list[Problem] = field(default_factory=list)
    files: list[ManifestFile] = field(default_factory=list)
    """Those that could be read, with what they are; empty checksums if none were made."""

    n_compared: int = 0
    """Files whose checksum was known and is right."""

    @property
    def is_whole(self) -> bool:
        """Nothing is wrong with any file."""
        return not self.problems

    def to_manifest(self) -> ManifestModel:
        """For `save_manifest`; only of a report with checksums."""
        source = self.snapshot.source
        return ManifestModel(self.snapshot.entry.name, source.repo, source.revision, tuple(self.files))


def verify(
    snapshot: Snapshot,
    known: Iterable[FileFacts] = (),
    *,
    has_checksums: bool = True,
    on_bytes: OnBytes = ignore,
) -> Report:
    """Look at every file; `known` goes before the catalogue. Without checksums it takes no time."""
    report = Report(snapshot)
    facts = {file.path: file for file in snapshot.entry.files if snapshot.is_as_catalogued}
    facts |= {file.path: FileFacts(file.path) for file in snapshot.entry.files if file.path not in facts}
    facts |= {file.path: file for file in known}
    there = dict(list_files(snapshot.folder))
    for path in sorted(facts.keys() - there.keys()):
        report.problems.append(Problem(path, "missing", "is not here"))
    for path, place in sorted(there.items()):
        _check_file(report, path, place, facts.get(path), has_checksums, on_bytes)
    _check_indexes(report, there)
    return report


def list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `folder` by its path in it, lost links too; not what begins with a dot."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            place = Path(root, name)
            if not name.startswith("."):
                yield place.relative_to(folder).as_posix(), place


def _check_file(
    report: Report, path: str, place: Path, known: FileFacts | None, has_checksums: bool, on_bytes: OnBytes
) -> None:
    def say(kind: str, what: str) -> None:
        report.problems.append(Problem(path, kind, what))

    if not place.exists():
        what = f"is a link to `{place.readlink()}`, which is not there" if place.is_symlink() else "is gone"
        say("nowhere", what)
        return
    if place.is_symlink() and not _stays_inside(place, report.snapshot.folder):
        say("nowhere", f"is a link to `{place.readlink()}`, outside the model's own files")
        return
    n_bytes = place.stat().st_size
    if n_bytes == 0:
        say("empty", "has no content")
        return
    is_sized = True
    if known is not None and known.n_bytes is not None and known.n_bytes != n_bytes:
        say("size", f"has {n_bytes} bytes, and should have {known.n_bytes}")
        is_sized = False
    # Of another size it has another checksum; what its form says is of more use.
    _check_form(place, path, say)
    blob = _blob_of(place)
    if not is_sized or not has_checksums:
        report.files.append(ManifestFile(path, n_bytes, "", blob))
        return
    try:
        sha256 = sha256_of(place, on_bytes)
        is_blob_right = _is_named_so(place, blob, sha256)
    except ModelError as e:
        say("unreadable", f"cannot be read: {e.message}")
        return
    report.files.append(ManifestFile(path, n_bytes, sha256, blob))
    if known is not None and known.sha256 is not None and known.sha256 != sha256:
        say("checksum", f"is another file: its SHA-256 is {sha256}, and should be {known.sha256}")
    elif is_blob_right is False:
        say("checksum", f"is damaged: it is kept as {blob}, and has not that checksum")
    elif is_blob_right or (known is not None and known.sha256 is not None):
        report.n_compared += 1


def _check_form(place: Path, path: str, say: Callable[[str, str], None]) -> None:
    if path.endswith(".safetensors"):
        try:
            read_header(place)
        except ModelError as e:
            say("form", e.message.removeprefix("it ") if e.message.startswith("it ") else e.message)
    elif path.endswith(".json") and not path.endswith(INDEX_SUFFIX):
        try:
            msgspec.json.decode(place.read_bytes())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as e:
            say("form", f"is no JSON: {e}")


def _blob_of(place: Path) -> str:
    """The name of the blob that `place` is a link to; empty if it is none."""
    if not place.is_symlink():
        return ""
    target = place.resolve()
    return target.name if target.parent.name == BLOBS else ""


def _is_named_so(place: Path, blob: str, sha256: str) -> bool | None:
    """Whether a blob has the checksum it is named by; None if its name is none."""
    if SHA256.fullmatch(blob):
        return blob == sha256
    return blob == git_sha1_of(place) if GIT_SHA1.fullmatch(blob) else None


def _stays_inside(place: Path, folder: Path) -> bool:
    """Links of a snapshot lead to blobs of the same repository."""
    root = folder.parent.parent if folder.parent.name == SNAPSHOTS else folder
    return place.resolve().is_relative_to(root.resolve())


def _check_indexes(report: Report, there: Mapping[str, Path]) -> None:
    for path, place in sorted(there.items()):
        if path.endswith(INDEX_SUFFIX) and place.exists() and place.stat().st_size:
            report.problems += (Problem(file, "index", what) for file, what in check_index(path, place))
