"""The weights this project knows, as data, and those that the settings add.

A name is looked up, never joined to a path; what becomes part of a path (hub id, revision, file) is checked
when the catalogue is read. The hub's rules: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ttsops.errors import ConfigError, InvalidValue, ModelError, UnknownModel
from ttsops.models.manifest import FileFacts, is_inside, read_manifest
from ttsops.settings import ModelSettings, Settings

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9_][\w.-]{0,95})?", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][\w./-]{0,199}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,99}", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
"""A revision that never changes."""


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where on a hub a model is."""

    repo: str
    revision: str = "main"

    @property
    def is_fixed(self) -> bool:
        """The revision is a commit."""
        return COMMIT.fullmatch(self.revision) is not None


class Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model."""

    name: str = ""
    aliases: tuple[str, ...] = ()
    engine: str = ""
    """Which loads it; empty for what is only a part of others."""

    repo: str = ""
    revision: str = "main"
    also: tuple[Source, ...] = ()
    """Where it can be had when `repo` is gone."""

    path: str = ""
    """A folder on this machine, for a model that is on no hub."""

    folder: str = ""
    """What an engine is given of it: a folder inside, or all."""

    licence: str = ""
    parameters: Annotated[int, Meta(ge=0)] = 0
    """Of all its tensors; 0 if unknown, or if it has none."""

    dtypes: Mapping[str, str] = MappingProxyType({})
    """Device → number format, in the order in which devices are preferred."""

    parts: Mapping[str, str] = MappingProxyType({})
    """Option of the engine → name of the entry that fills it."""

    files: tuple[FileFacts, ...] = ()
    """What must be there; empty for whatever the repository has."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Its own repository first; none for a folder on this machine."""
        return (Source(self.repo, self.revision), *self.also) if self.repo else ()

    @property
    def n_bytes(self) -> int | None:
        """Of all its files; None if one of them is not known."""
        sizes = [file.n_bytes for file in self.files if file.n_bytes is not None]
        return sum(sizes) if sizes and len(sizes) == len(self.files) else None

    @property
    def names(self) -> tuple[str, ...]:
        """All it may be called by."""
        return (self.name, *self.aliases, *(source.repo for source in self.sources))


class Catalogue:
    """Entries by name, alias or hub id; case does not matter."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self._by_name = {
            name.lower(): entry for entry in reversed([*entries.values()]) for name in reversed(entry.names)
        } | {name.lower(): entry for name, entry in entries.items()}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def get(self, name: str) -> Entry | None:
        """The entry, or None."""
        return self._by_name.get(name.lower())

    def find(self, name: str) -> Entry:
        """The entry. Raises `UnknownModel`, with what it may have been meant to be."""
        entry = self.get(name)
        if entry is None:
            close = difflib.get_close_matches(name.lower(), self._by_name, n=1)
            guess = f"did you mean `{close[0]}`? " if close else ""
            raise UnknownModel(
                f"there is no model `{name}` in the catalogue",
                hint=f"{guess}`ttsops models list` shows all; your own go under `[models.NAME]`",
                param="model",
            )
        return entry

    def parts(self, entry: Entry) -> tuple[Entry, ...]:
        """What `entry` needs beside itself."""
        return tuple(self.find(name) for name in entry.parts.values())

    def with_parts(self, names: tuple[str, ...]) -> tuple[Entry, ...]:
        """The entries of `names`, each followed by its parts, none twice. Raises `UnknownModel`."""
        found: dict[str, Entry] = {}
        for name in names:
            entry = self.find(name)
            for one in (entry, *self.parts(entry)):
                found.setdefault(one.name, one)
        return tuple(found.values())


@functools.cache
def published() -> Catalogue:
    """What comes with this package."""
    text = package_files("ttsops.models").joinpath("catalogue.toml").read_bytes()
    tables = msgspec.toml.decode(text, type=dict[str, Entry])
    entries = {name: msgspec.structs.replace(entry, name=name) for name, entry in tables.items()}
    for entry in entries.values():
        _check(entry)
    return Catalogue(entries)


def catalogue(settings: Settings) -> Catalogue:
    """The published entries and those of `[models]`, which go before them. Raises `ConfigError`."""
    own = {name: _from_settings(name, model) for name, model in settings.models.items()}
    return Catalogue({**own, **{n: e for n, e in published().entries.items() if n not in own}})


def _from_settings(name: str, model: ModelSettings) -> Entry:
    place = f"`[models.{name}]`"
    if bool(model.repo) == bool(model.path):
        what = "both `repo` and `path`" if model.repo else "neither `repo` nor `path`"
        raise ConfigError(f"{place} says {what}", hint="say where the weights are: a hub id, or a folder")
    like = published().get(model.like) if model.like else Entry()
    if like is None:
        raise ConfigError(
            f"{place} is like `{model.like}`, which is not in the catalogue", hint="`ttsops models list`"
        )
    known = {file.path: file for file in _facts(model, name, place)}
    wanted = model.files or tuple(known)
    entry = Entry(
        name=name,
        aliases=model.aliases,
        engine=like.engine,
        repo=model.repo,
        revision=model.revision,
        path=model.path,
        folder=model.folder,
        licence=model.licence,
        dtypes=like.dtypes,
        parts=like.parts,
        files=tuple(known.get(path, FileFacts(path)) for path in wanted),
    )
    try:
        _check(entry)
    except InvalidValue as e:
        raise ConfigError(f"{place}: {e.message}", hint=e.hint) from e
    return entry


def _facts(model: ModelSettings, name: str, place: str) -> tuple[FileFacts, ...]:
    if not model.manifest:
        return ()
    try:
        return read_manifest(Path(model.manifest)).files_of(name, model.repo)
    except ModelError as e:
        raise ConfigError(f"{place}: {e.message}", hint=e.hint) from e


def check_source(source: Source) -> None:
    """Raises `InvalidValue` for what is no hub id or no revision."""
    if not _REPO.fullmatch(source.repo) or ".." in source.repo or "--" in source.repo:
        raise InvalidValue(f"`{source.repo}` is no hub id", hint="such as `microsoft/VibeVoice-1.5B`")
    if not _REVISION.fullmatch(source.revision) or ".." in source.revision or "//" in source.revision:
        raise InvalidValue(f"`{source.revision}` is no revision", hint="a commit, a tag or a branch")


def _check(entry: Entry) -> None:
    if not all(_NAME.fullmatch(name) for name in (entry.name, *entry.aliases)):
        raise InvalidValue(f"`{entry.name}` or one of its aliases is no name", hint="letters, digits, `.-_+`")
    for source in entry.sources:
        check_source(source)
    paths = [file.path for file in entry.files] + ([entry.folder] if entry.folder else [])
    for path in paths:
        if not is_inside(path):
            raise InvalidValue(f"`{path}` leads out of the model's folder", hint="give a path inside it")
