"""What a backup holds: the settings file and the folder of voices, as they are at one moment."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ttsops.errors import AudioError, ConfigError, UnknownEngine
from ttsops.runtime.references import library_folder
from ttsops.settings import Loaded, Settings, load_with_places
from ttsops.settings.load import DEFAULT_FILE
from ttsops.settings.names import CONFIG_FILE
from ttsops.voices.snapshot import VoiceFiles, read_voices


@dataclass(frozen=True, slots=True)
class State:
    """Settings and voices."""

    settings: bytes | None
    """The file as it is, comments and all; None if there is none."""

    voices: VoiceFiles | None
    """None if no folder of voices is set."""


def settings_file(config: Path | None, env: Mapping[str, str]) -> Path:
    """Where the settings are, or would be."""
    return config or Path(env.get(CONFIG_FILE) or DEFAULT_FILE)


def state_now(config: Path | None, env: Mapping[str, str], voices_folder: Path | None = None) -> State:
    """Of this machine. `voices_folder` goes before the one that the settings name.

    Raises `AudioError` if something cannot be read. Settings that are wrong are taken as they are; which
    folder of voices they mean is then not known, and none is taken.
    """
    path = settings_file(config, env)
    try:
        content = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise AudioError(f"cannot read `{path}`: {error.strerror}") from error
    if voices_folder is None:
        with suppress(ConfigError, UnknownEngine):
            loaded = load_with_places(path if content is not None else None, env)
            voices_folder = library_folder(loaded.settings)
    return State(content, None if voices_folder is None else read_voices(voices_folder))


def load_content(content: bytes | None, env: Mapping[str, str]) -> Loaded:
    """Settings from the bytes of a file. Raises `ConfigError`; its places name the file `settings.toml`."""
    if content is None:
        return Loaded(Settings(), None, {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.toml"
        path.write_bytes(content)
        return load_with_places(path, env)
