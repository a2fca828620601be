"""Fetching a model from a hub into its cache: only when asked, resumable, checked before it is in its place.

huggingface_hub's own download begins again when its process ends. Here a file grows as
`blobs/ETAG.incomplete`, and another process goes on where it stopped.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ttsops.errors import ModelError
from ttsops.models.cache import BLOBS, REFS, SNAPSHOTS, HubCache
from ttsops.models.catalogue import Entry, Source, check_source
from ttsops.models.checksums import SHA256, git_sha1_of, sha256_of
from ttsops.models.hub import Hub, Remote
from ttsops.models.manifest import FileFacts, is_inside
from ttsops.models.verify import Report

INCOMPLETE = ".incomplete"

OnProgress = Callable[[str, int, int], None]
"""Told the file, how many of its bytes are here, and how many it has; 0 if that is not known."""


def silent(path: str, n_done: int, n_bytes: int) -> None:
    """An `OnProgress` of nobody."""


def fetch(
    hub: Hub, cache: HubCache, entry: Entry, source: Source | None = None, on_progress: OnProgress = silent
) -> Path:
    """All files of `entry` from `source`, its own if None; the snapshot's folder.

    Raises `ModelError`: what had come stays, and the next call goes on from there.
    """
    source = source or entry.sources[0]
    check_source(source)
    paths = [file.path for file in entry.files] or list(hub.list_files(source))
    if not paths:
        raise ModelError(f"`{source.repo}` has no files")
    is_own = source == entry.sources[0]
    known = {file.path: file for file in entry.files} if is_own else {}
    commit = ""
    for path in paths:
        if not is_inside(path):
            raise ModelError(f"`{source.repo}` has a file outside its folder: `{path}`")
        # After the first file everything is asked of its commit: a branch may move meanwhile.
        remote = hub.describe(Source(source.repo, commit) if commit else source, path)
        commit = remote.commit
        _check_described(remote, known.get(path))
        _fetch_file(hub, cache.repo_folder(source.repo), remote, known.get(path), on_progress)
    if not source.is_fixed:
        _write_ref(cache.repo_folder(source.repo) / REFS / source.revision, commit)
    return cache.repo_folder(source.repo) / SNAPSHOTS / commit


def discard_damaged(report: Report) -> int:
    """Remove files that were found to be wrong, so that `fetch` brings them again; how many."""
    root = report.snapshot.folder
    if not report.snapshot.source.repo:
        return 0
    bad = {problem.file for problem in report.problems if problem.kind != "missing"}
    for path in bad:
        link = root / path
        if link.is_symlink():
            blob = link.resolve()
            with _disk_errors(link):
                link.unlink()
                if blob.parent == (root.parent.parent / BLOBS).resolve():
                    blob.unlink(missing_ok=True)
    return len(bad)


def _check_described(remote: Remote, known: FileFacts | None) -> None:
    """Before two gigabytes are fetched. Raises `ModelError`."""
    if known is None:
        return
    is_other = known.n_bytes is not None and remote.n_bytes is not None and known.n_bytes != remote.n_bytes
    if is_other or (known.sha256 and SHA256.fullmatch(remote.etag) and known.sha256 != remote.etag):
        raise ModelError(
            f"`{remote.path}` on the hub is not the file of the catalogue",
            hint="nothing was fetched; if you trust it, add it under `[models.NAME]` in the settings",
        )


def _fetch_file(
    hub: Hub, root: Path, remote: Remote, known: FileFacts | None, on_progress: OnProgress
) -> None:
    blob = root / BLOBS / remote.etag
    link = root / SNAPSHOTS / remote.commit / remote.path
    with _disk_errors(blob):
        blob.parent.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        with _locked(root, remote.etag):
            if not blob.is_file():
                _download(hub, blob, remote, known, on_progress)
            if not link.is_symlink() or link.resolve() != blob.resolve():
                link.unlink(missing_ok=True)
                link.symlink_to(os.path.relpath(blob, link.parent))


def _download(hub: Hub, blob: Path, remote: Remote, known: FileFacts | None, on_progress: OnProgress) -> None:
    draft = blob.with_name(blob.name + INCOMPLETE)
    n_total = remote.n_bytes or 0
    if draft.exists() and n_total and draft.stat().st_size > n_total:
        draft.unlink()
    n_done = 0

    def count(n_bytes: int) -> None:
        nonlocal n_done
        n_done += n_bytes
        on_progress(remote.path, n_done, n_total)

    hub.download(remote, draft, count)
    sha256 = sha256_of(draft)
    found = sha256 if SHA256.fullmatch(remote.etag) else git_sha1_of(draft)
    if found != remote.etag or (known is not None and known.sha256 not in (None, sha256)):
        draft.unlink()
        raise ModelError(
            f"`{remote.path}` came damaged: its checksum is {found}, and should be {remote.etag}",
            hint="what came was removed; fetch it again",
        )
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(blob)


def _write_ref(ref: Path, commit: str) -> None:
    with _disk_errors(ref):
        ref.parent.mkdir(parents=True, exist_ok=True)
        draft = ref.with_name(f".{ref.name}.part")
        draft.write_text(commit)
        draft.replace(ref)


@contextmanager
def _locked(root: Path, name: str) -> Iterator[None]:
    """One process at a time appends to a file; the lock's name is that of huggingface_hub."""
    path = root.parent / ".locks" / root.name / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise ModelError(
            f"cannot write `{path}`: {e.strerror or e}", hint="free space, or check rights"
        ) from e
