"""Which folder of recorded voices is meant: by the engines that speak from it, and by those who change it.

`voices.folder` is one for all engines; an engine's own option `voices` goes before it, for that engine.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ttsops.engines import registry
from ttsops.settings import EngineSettings, Settings

FOLDER_OPTION = "voices"
"""Of an engine that speaks from recordings: the folder they are in."""


def library_folder(settings: Settings) -> Path | None:
    """The folder that a served engine speaks from, the default engine first; None if there is none."""
    for name in settings.served_engines:
        folder = voices_folder(settings, name)
        if folder is not None:
            return folder
    return Path(settings.voices.folder) if settings.voices.folder else None


def voices_folder(settings: Settings, name: str) -> Path | None:
    """The folder of recordings that engine `name` speaks from; None if it speaks from none that is set."""
    if not _speaks_from_recordings(name):
        return None
    folder = with_library(settings, name).options.get(FOLDER_OPTION)
    return Path(str(folder)) if folder else None


def with_library(settings: Settings, name: str) -> EngineSettings:
    """How engine `name` is set up, with the folder of all engines where it has none of its own."""
    setup = settings.engine_settings(name)
    if not settings.voices.folder or setup.options.get(FOLDER_OPTION) or not _speaks_from_recordings(name):
        return setup
    return msgspec.structs.replace(setup, options={**setup.options, FOLDER_OPTION: settings.voices.folder})


def _speaks_from_recordings(name: str) -> bool:
    card = registry.card(name)
    return card.clones_voices and any(spec.name == FOLDER_OPTION for spec in card.setup)
