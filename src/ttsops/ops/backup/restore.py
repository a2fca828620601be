"""Brings a backup back, after what is there now was kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ttsops.audio import write_atomically
from ttsops.audio.files import sync_directory
from ttsops.errors import AudioError, InvalidValue
from ttsops.ops.backup.archive import read_backup
from ttsops.ops.backup.keep import keep
from ttsops.ops.backup.state import load_content, settings_file, state_now
from ttsops.runtime.references import library_folder
from ttsops.voices.snapshot import replace_voices


def restore(backup: Path, config: Path | None, env: Mapping[str, str], keep_in: Path) -> Path:
    """Settings and voices as they were; where what was there before is kept now.

    Everything is verified before anything is changed: the backup's checksums, and that this version takes its
    settings. Voices come first and settings last, so that no settings name voices that are not there. Raises
    `InvalidValue`, `ConfigError`, and `AudioError` if something cannot be written.
    """
    _, state = read_backup(backup)
    folder = library_folder(load_content(state.settings, env).settings)
    if state.voices and folder is None:
        raise InvalidValue(
            f"`{backup}` has voices, and its settings name no folder for them",
            hint="set `TTSOPS_VOICES__FOLDER` as it was when the backup was made",
        )
    kept = keep(state_now(config, env, folder), keep_in)
    if state.voices is not None and folder is not None:
        replace_voices(folder, state.voices)
    _put_settings(settings_file(config, env), state.settings)
    return kept


def _put_settings(path: Path, content: bytes | None) -> None:
    if content is not None:
        write_atomically(path, content)
        return
    try:
        path.unlink(missing_ok=True)  # there was none, and it has just been kept
        sync_directory(path.absolute().parent)
    except OSError as error:
        raise AudioError(f"cannot remove `{path}`: {error.strerror}") from error
