"""`ttsops voices`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from ttsops.cli.output import print_json, say
from ttsops.cli.recorded_voices import import_recording, open_library, remove, show
from ttsops.cli.verb import HELP, VerbGroup, config_option, verb
from ttsops.errors import ConfigError, InvalidValue
from ttsops.settings import load_settings

IMPORTING_ENGINE = "vibevoice-realtime"
"""The engine whose voices are published as files of their own."""

CLONING_ENGINE = "f5"
"""The engine that speaks from recordings."""


@click.group(
    "voices",
    cls=VerbGroup,
    examples=("ttsops voices", "ttsops voices --language en --json", "ttsops voices --engine tone"),
    invoke_without_command=True,
    context_settings=HELP,
)
@config_option
@click.option(
    "--engine", "--model", "engine", help="Of this engine.  [default: the one that speaks by default]"
)
@click.option("--language", help="Only those that speak it: a BCP 47 tag, or its beginning such as `en`.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def voices(
    context: click.Context, config: Path | None, engine: str | None, language: str | None, as_json: bool
) -> None:
    """List the voices of an engine. Loads the engine to ask it."""
    if context.invoked_subcommand is None:
        _list(config, engine, language, as_json)


@verb(
    "import",
    examples=(
        "ttsops voices import en-Mike_man.pt --to voices",
        "ttsops voices import --config prod.toml streaming_model/*.pt",
        "ttsops voices import --engine f5 alice.wav --name en-Alice_woman --to voices \\\n"
        '    --transcript "Some call me nature." --consent "Alice agreed on 2026-11-01"',
    ),
)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option(
    "--engine",
    type=click.Choice([IMPORTING_ENGINE, CLONING_ENGINE]),
    default=IMPORTING_ENGINE,
    show_default=True,
    help="For which engine, and so of which kind.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of imported voices.  [default: that of the engine by the settings]",
)
@click.option("--name", help="Of a recording: id of the voice, such as `en-Alice_woman`.")
@click.option("--transcript", help="Of a recording: what is said in it, word for word.")
@click.option("--consent", help="Of a recording: that the speaker agreed, and when.")
@click.option("--licence", help="Of a recording: what may be done with the voice.")
@config_option
def import_(
    files: tuple[Path, ...], engine: str, folder: Path | None, config: Path | None, **recording: str | None
) -> None:
    """Import voices: published prompts (`.pt`), or a recording of somebody who agreed.

    A prompt of VibeVoice-Realtime becomes tensors (`NAME.safetensors`) and a manifest (`NAME.json`) that says
    where it came from. Code that a prompt may hold is never run: a file that asks for any is refused.

    For `f5` it is one recording in any common format, with 2 to 12 s of speech by one person. It is cut and
    kept in a folder of its name, with transcript and consent. Nothing is downloaded.
    """
    if engine == CLONING_ENGINE:
        import_recording(
            files,
            open_library(folder, config),
            name=recording["name"],
            transcript=recording["transcript"],
            consent=recording["consent"],
            licence=recording["licence"],
        )
        return
    given = [f"--{name}" for name, value in recording.items() if value is not None]
    if given:
        raise InvalidValue(
            f"{', '.join(given)} is for recordings, and these are prompts of `{IMPORTING_ENGINE}`",
            hint=f"for a recording give `--engine {CLONING_ENGINE}`",
        )
    _import_prompts(files, folder, config)


def _import_prompts(prompts: tuple[Path, ...], folder: Path | None, config: Path | None) -> None:
    from ttsops.engines import registry

    unavailable = registry.missing(IMPORTING_ENGINE)
    if unavailable is not None:
        raise unavailable
    from ttsops.engines.vibevoice_realtime.voice_import import import_voice

    to = folder or _configured_folder(config)
    for prompt in prompts:
        manifest = import_voice(prompt, to)
        say(f"Imported `{manifest.stem}` into `{to}`")


voices.add_command(import_)
voices.add_command(show)
voices.add_command(remove)


def _configured_folder(config: Path | None) -> Path:
    from ttsops.engines.setup import read_options
    from ttsops.engines.vibevoice_realtime.card import RealtimeOptions

    setup = load_settings(config, os.environ).engine_settings(IMPORTING_ENGINE)
    found = read_options(IMPORTING_ENGINE, setup.options, RealtimeOptions).voices_folder
    if found is None:
        raise ConfigError(
            "there is no folder to import voices into",
            hint=f"give `--to voices`, or set `voices` in `[engines.{IMPORTING_ENGINE}.options]`",
        )
    return found


def _list(config: Path | None, engine: str | None, language: str | None, as_json: bool) -> None:
    from ttsops.engines import registry
    from ttsops.engines.contract import EngineConfig
    from ttsops.runtime.references import with_library

    settings = load_settings(config, os.environ, {"engine": engine})
    setup = with_library(settings, settings.engine)
    loaded = registry.create(
        settings.engine, EngineConfig(device=setup.device, dtype=setup.dtype, options=setup.options)
    )
    try:
        found = [voice for voice in loaded.voices() if _speaks(voice.language, language)]
    finally:
        loaded.shutdown()
    if as_json:
        print_json([asdict(voice) for voice in found])
        return
    for voice in found:
        mark = "*" if voice.id == loaded.card.default_voice else " "
        click.echo(f"{mark} {voice.id:<20} {voice.language:<12} {voice.name}".rstrip())
    say(f"{len(found)} voices of `{settings.engine}`; * is the default")


def _speaks(tag: str, wanted: str | None) -> bool:
    """RFC 4647 basic filtering: `en` finds `en` and `en-GB`, not `enm`."""
    if not wanted:
        return True
    return tag.lower() == wanted.lower() or tag.lower().startswith(wanted.lower() + "-")
