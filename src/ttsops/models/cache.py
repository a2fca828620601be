"""Where weights are: the cache of huggingface_hub, read without that library.

    models--ORG--NAME/blobs/SHA                         what a file holds; its name is its checksum
    models--ORG--NAME/snapshots/COMMIT/config.json      a link to a blob
    models--ORG--NAME/refs/main                         which commit a branch or tag was

A blob is named by its SHA-256 if the hub keeps it as a large file, and else by git's SHA-1.
https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ttsops.errors import EngineUnavailable, ModelError
from ttsops.models.catalogue import COMMIT, Entry, Source
from ttsops.settings import Settings

PREFIX = "models--"
SNAPSHOTS, BLOBS, REFS = "snapshots", "blobs", "refs"


def cache_folder(settings: Settings, env: Mapping[str, str] = os.environ) -> Path:
    """The folder of the settings, else where huggingface_hub has it."""
    if settings.hub.cache:
        return Path(settings.hub.cache).expanduser()
    home = env.get("HF_HOME") or f"{env.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(home).expanduser() / "hub"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A model on this machine."""

    entry: Entry
    folder: Path
    """Its files, as the engine sees them."""

    source: Source
    """From where, in which commit; empty for a plain folder."""

    is_as_catalogued: bool
    """From the catalogue's own repository and revision: its checksums hold."""

    @property
    def engine_folder(self) -> Path:
        """What an engine is given."""
        return self.folder / self.entry.folder if self.entry.folder else self.folder

    def missing(self) -> tuple[str, ...]:
        """Files of the entry that are not here."""
        return tuple(file.path for file in self.entry.files if not (self.folder / file.path).exists())

    @property
    def n_bytes(self) -> int:
        """Of all its files, links followed."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


class HubCache:
    """The cache at one folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def repo_folder(self, repo: str) -> Path:
        """Where a repository is kept; the id was checked by the catalogue."""
        return self.folder / (PREFIX + repo.replace("/", "--"))

    def repos(self) -> tuple[str, ...]:
        """Hub ids of all that is kept here, sorted."""
        if not self.folder.is_dir():
            return ()
        names = [path.name for path in self.folder.iterdir() if path.is_dir()]
        return tuple(sorted(n.removeprefix(PREFIX).replace("--", "/") for n in names if n.startswith(PREFIX)))

    def commits(self, repo: str) -> tuple[str, ...]:
        """Those of which there is a snapshot, the latest written last."""
        folder = self.repo_folder(repo) / SNAPSHOTS
        found = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        return tuple(path.name for path in sorted(found, key=lambda path: path.stat().st_mtime))

    def commit_of(self, source: Source) -> str | None:
        """The commit that `source` is, as far as this cache knows."""
        if COMMIT.fullmatch(source.revision):
            return source.revision
        try:
            commit = (self.repo_folder(source.repo) / REFS / source.revision).read_text().strip()
        except OSError:
            return None
        return commit if COMMIT.fullmatch(commit) else None

    def snapshot_folder(self, source: Source) -> Path:
        """Where its files are, or would be."""
        commit = self.commit_of(source) or source.revision
        return self.repo_folder(source.repo) / SNAPSHOTS / commit

    def find(self, entry: Entry) -> Snapshot | None:
        """The entry's own revision; else one of the others it can be had from; else the latest there is."""
        if entry.path:
            folder = Path(entry.path).expanduser()
            return Snapshot(entry, folder, Source("", ""), True) if folder.is_dir() else None
        for source in entry.sources:
            commit = self.commit_of(source)
            folder = self.snapshot_folder(source)
            if commit and folder.is_dir():
                is_own = source is entry.sources[0] or source == entry.sources[0]
                return Snapshot(entry, folder, Source(source.repo, commit), is_own)
        for source in entry.sources:
            for commit in reversed(self.commits(source.repo)):
                found = Source(source.repo, commit)
                return Snapshot(entry, self.snapshot_folder(found), found, False)
        return None

    def snapshots(self, entries: tuple[Entry, ...]) -> Iterator[Snapshot]:
        """Those of `entries` that are here."""
        for entry in entries:
            snapshot = self.find(entry)
            if snapshot is not None:
                yield snapshot

    def remove(self, repo: str) -> int:
        """Delete all revisions of `repo`; how many bytes are free again. Raises `ModelError`."""
        folder = self.repo_folder(repo)
        if not folder.is_dir() or folder.is_symlink():
            raise ModelError(
                f"`{repo}` is not in `{self.folder}`", hint="`ttsops models list` shows what is here"
            )
        n_bytes = sum(
            path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
        )
        # In one move: no engine finds half of it.
        gone = folder.with_name(f".gone-{folder.name}")
        try:
            shutil.rmtree(gone, ignore_errors=True)
            folder.rename(gone)
            shutil.rmtree(gone)
        except OSError as e:
            raise ModelError(f"cannot remove `{folder}`: {e.strerror or e}") from e
        return n_bytes


def require(path: Path) -> Path:
    """`path`, if there is anything. Raises `EngineUnavailable` that says how to get it."""
    if path.exists():
        return path
    repo = next((part for part in path.parts if part.startswith(PREFIX)), "")
    name = repo.removeprefix(PREFIX).replace("--", "/")
    hint = f"`ttsops models pull {name}` fetches it" if name else "`ttsops models list` shows what is here"
    raise EngineUnavailable(f"there is no model at `{path}`", hint=hint)
