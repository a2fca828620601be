"""All voices of a folder at once, for backups: read as they are, and put back as they were.

Held in memory: a voice is a few recordings of at most half a minute.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from ttsops.audio import write_atomically
from ttsops.audio.files import sync_directory
from ttsops.errors import AudioError
from ttsops.voices.changing import DRAFT, GONE, changing
from ttsops.voices.keeping import clear_errors
from ttsops.voices.manifest import is_id

VoiceFiles = Mapping[str, Mapping[str, bytes]]
"""Id of a voice → name of a file → what is in it."""

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.[a-z0-9]{1,8}")
"""Of what a voice's folder holds: one dot, no separator. A draft of a file begins with a dot and is none."""


def read_voices(folder: Path) -> dict[str, dict[str, bytes]]:
    """Every voice, whole: nobody changes the folder meanwhile. A voice that is damaged is read as it is.

    Raises `AudioError` if the folder cannot be read.
    """
    if not folder.is_dir():
        return {}
    with changing(folder), clear_errors(folder, "read"):
        return {voice: _files(folder / voice) for voice in _ids(folder)}


def check_voices(files: VoiceFiles) -> None:
    """That these names can be put into a folder. Raises `AudioError` for one that cannot."""
    for voice, content in files.items():
        if not is_id(voice):
            raise AudioError(f"`{voice[:60]}` cannot be the id of a voice")
        for name in content:
            if not _FILE_NAME.fullmatch(name):
                raise AudioError(f"`{voice}/{name[:60]}` is no file of a voice")


def replace_voices(folder: Path, files: VoiceFiles) -> None:
    """Make the folder's voices these and no others.

    All is written beside them first, so that a full disk changes nothing; then each voice is changed by
    itself: a crash leaves some voices old and some new, each of them whole, at worst one of them away.
    Raises `AudioError`.
    """
    check_voices(files)
    with changing(folder), clear_errors(folder):
        now = set(_ids(folder))
        changed = {
            voice for voice in files if voice not in now or _files(folder / voice) != dict(files[voice])
        }
        drafts = _write_drafts(folder, {voice: files[voice] for voice in sorted(changed)})
        for voice in sorted(changed | (now - set(files))):
            if voice in now:
                (folder / voice).rename(folder / f"{GONE}{secrets.token_hex(8)}")
            if voice in drafts:
                drafts[voice].rename(folder / voice)
        sync_directory(folder)
        _clear(folder, GONE)


def _write_drafts(folder: Path, files: VoiceFiles) -> dict[str, Path]:
    drafts = {}
    try:
        for voice, content in files.items():
            drafts[voice] = folder / f"{DRAFT}{secrets.token_hex(8)}"
            drafts[voice].mkdir()
            for name, data in content.items():
                write_atomically(drafts[voice] / name, data)
    except BaseException:
        _clear(folder, DRAFT)
        raise
    return drafts


def _ids(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if is_id(path.name) and path.is_dir())


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.iterdir()) if _FILE_NAME.fullmatch(path.name) and path.is_file())
    return {path.name: path.read_bytes() for path in found}


def _clear(folder: Path, prefix: str) -> None:
    for leftover in folder.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
