"""`ttsops voices import --engine f5`, `ttsops voices show` and `remove`: voices made from recordings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import config_option, verb
from ttsops.errors import ConfigError, InvalidValue
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.voices.library import VoiceLibrary
    from ttsops.voices.manifest import KeptReference, Manifest


def import_recording(
    recordings: tuple[Path, ...],
    library: VoiceLibrary,
    *,
    name: str | None,
    transcript: str | None,
    consent: str | None,
    licence: str | None,
) -> None:
    """One recording becomes a voice. Raises as `VoiceLibrary.add` does."""
    if len(recordings) != 1:
        raise InvalidValue(
            f"{len(recordings)} recordings: a voice is made from one", hint="import them one by one"
        )
    if not name:
        raise InvalidValue("the voice has no name", hint="give `--name en-Alice_woman`", param="name")
    manifest = library.add(
        name, recordings[0], transcript or "", consent=consent or "", licence=licence or ""
    )
    for warning in manifest.baseline.warnings:
        say(f"warning: {warning}")
    seconds = manifest.baseline.seconds
    say(
        f"Imported `{manifest.id}` into `{library.folder}`: {seconds:.1f} s, `{manifest.baseline.transcript}`"
    )


def _folder_option(function: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--in",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of imported voices.  [default: that of the settings]",
    )
    return config_option(option(function))


@verb("show", examples=("ttsops voices show en-Alice_woman", "ttsops voices show en-Alice_woman --json"))
@click.argument("voice")
@_folder_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(voice: str, folder: Path | None, config: Path | None, as_json: bool) -> None:
    """Show what is known of a voice made from a recording: consent, transcript, and what it speaks from."""
    manifest = open_library(folder, config).get(voice)
    if as_json:
        print_json(msgspec.to_builtins(manifest))
        return
    click.echo("\n".join(_lines(manifest)))


@verb("remove", examples=("ttsops voices remove en-Alice_woman --in voices",))
@click.argument("voice")
@_folder_option
def remove(voice: str, folder: Path | None, config: Path | None) -> None:
    """Delete a voice made from a recording, with all its recordings."""
    library = open_library(folder, config)
    library.remove(voice)
    say(f"Removed `{voice}` from `{library.folder}`")


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


def _lines(manifest: Manifest) -> list[str]:
    lines = [
        f"{manifest.id}: {manifest.name}, {manifest.language}, {manifest.gender}",
        f"licence     {manifest.licence or 'not said'}",
        f"speaks from {'its override' if manifest.override else 'its baseline'}",
        *_reference_lines("baseline", manifest.baseline),
    ]
    return lines + (_reference_lines("override", manifest.override) if manifest.override else [])


def _reference_lines(what: str, kept: KeptReference) -> list[str]:
    return [
        f"{what}    {kept.seconds:.2f} s, {kept.sample_rate} Hz, RMS {kept.rms:.3f}",
        f"  from      {kept.source_name}",
        f"  says      {kept.transcript}",
        f"  consent   {kept.consent.statement} (taken down {kept.consent.recorded_at})",
        f"  sha256    {kept.sha256}",
        *(f"  warning   {warning}" for warning in kept.warnings),
    ]
