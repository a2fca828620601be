"""A backup as one file: a `tar.gz` with a manifest that has the SHA-256 of everything else in it.

    manifest.json                       format, when, by which version, every file with its checksum
    settings.toml                       the settings file as it was
    voices/en-Alice_woman/voice.json    each voice, as it lay in its folder

Nothing is ever unpacked to where an archive says: members are looked up by the names that the manifest lists,
and those are checked before.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

import msgspec
from msgspec import Struct

import ttsops
from ttsops.audio.files import atomic_file
from ttsops.errors import AudioError, InvalidValue
from ttsops.ops.backup.state import State
from ttsops.voices.snapshot import check_voices

FORMAT: Final = 1
MANIFEST, SETTINGS, VOICES = "manifest.json", "settings.toml", "voices"
MAX_MEMBER_BYTES = 2**28
"""A recording is far smaller; an archive must not fill the memory."""

PROBLEMS = (tarfile.TarError, EOFError, OSError, msgspec.MsgspecError, ValueError)


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in a backup."""

    format: int = FORMAT
    created_at: str
    version: str
    """Of the program that made it."""

    has_voices: bool
    """False if no folder of voices was set: then none is touched when it is brought back."""

    files: dict[str, str]
    """Name in the archive → SHA-256."""


def write_backup(path: Path, state: State, created_at: str) -> None:
    """Whole, or not at all. Raises `AudioError` if it cannot be written."""
    files = dict(_files(state))
    manifest = Manifest(
        created_at=created_at,
        version=ttsops.__version__,
        has_voices=state.voices is not None,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    head = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    with (
        atomic_file(path) as target,
        # A stream that is only written to: the archive is never held as a whole.
        tarfile.open(fileobj=cast("IO[bytes]", target), mode="w|gz") as archive,
    ):
        for name, content in {MANIFEST: head, **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
            archive.addfile(member, io.BytesIO(content))
    path.chmod(0o600)  # settings may hold secrets


def read_backup(path: Path) -> tuple[Manifest, State]:
    """What it holds, every checksum verified. Raises `InvalidValue` if it is no backup, or is damaged."""
    try:
        members = _members(path)
        manifest = msgspec.json.decode(members.pop(MANIFEST, b""), type=Manifest)
    except PROBLEMS as error:
        raise InvalidValue(f"`{path}` is no backup that can be read: {error}") from error
    if manifest.format > FORMAT:
        raise InvalidValue(f"`{path}` is a backup in format {manifest.format}; {FORMAT} is known here")
    for name in sorted({*manifest.files, *members}):
        if name not in members or name not in manifest.files:
            where = "its manifest" if name in members else "the archive"
            raise InvalidValue(f"`{path}` is damaged: `{name[:80]}` is not in {where}")
        if hashlib.sha256(members[name]).hexdigest() != manifest.files[name]:
            raise InvalidValue(f"`{path}` is damaged: `{name[:80]}` is not what was kept")
    return manifest, _state(path, manifest, members)


def _files(state: State) -> Iterator[tuple[str, bytes]]:
    if state.settings is not None:
        yield SETTINGS, state.settings
    for voice, content in (state.voices or {}).items():
        for name, data in content.items():
            yield f"{VOICES}/{voice}/{name}", data


def _members(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(path, mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is None or member.size > MAX_MEMBER_BYTES or member.name in found:
                raise ValueError(f"`{member.name[:80]}` is no file of a backup")
            found[member.name] = file.read()
    return found


def _state(path: Path, manifest: Manifest, members: dict[str, bytes]) -> State:
    voices: dict[str, dict[str, bytes]] = {}
    for name, content in members.items():
        parts = PurePosixPath(name).parts
        if len(parts) == 3 and parts[0] == VOICES:
            voices.setdefault(parts[1], {})[parts[2]] = content
        elif name != SETTINGS:
            raise InvalidValue(f"`{path}` is damaged: `{name[:80]}` has no place in a backup")
    try:
        check_voices(voices)
    except AudioError as error:
        raise InvalidValue(f"`{path}` is damaged: {error.message}") from error
    return State(members.get(SETTINGS), voices if manifest.has_voices else None)
