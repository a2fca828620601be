"""Which folder of voices a command means."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.verb import config_option
from ttsops.errors import ConfigError
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.voices.library import VoiceLibrary


def folder_option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--config FILE`, and the folder under `name`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        option = click.option(
            name,
            "folder",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder of imported voices.  [default: that of the settings]",
        )
        return config_option(option(function))

    return decorate


def open_library(folder: Path | None, config: Path | None) -> VoiceLibrary:
    """Of the folder that was named, or that of the settings. Raises `ConfigError` if there is neither."""
    from ttsops.runtime.references import library_folder
    from ttsops.voices.library import VoiceLibrary

    found = folder or library_folder(load_settings(config, os.environ))
    if found is None:
        raise ConfigError(
            "there is no folder of recorded voices",
            hint="name it on the command line, or set `folder` in `[voices]`",
        )
    return VoiceLibrary(found)
