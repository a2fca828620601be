"""`ttsops voice import`: a recording, published prompts, or a voice that was exported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ttsops.cli.output import say, warn
from ttsops.cli.verb import verb
from ttsops.cli.voice_library import folder_option, open_library
from ttsops.errors import AudioError, ConfigError, InvalidValue
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.voices.library import VoiceLibrary
    from ttsops.voices.manifest import Manifest

PROMPT_ENGINE = "vibevoice-realtime"
"""The engine whose voices are published as files of their own."""

PROMPT_SUFFIXES = (".pt", ".pth")
ARCHIVE_SUFFIX = ".zip"
ENGINES = ("f5", "vibevoice", PROMPT_ENGINE)
GENDERS = ("woman", "man", "person", "female", "male", "neutral")


@verb(
    "import",
    examples=(
        "ttsops voice import --input alice.m4a --name en-Alice_woman --to voices \\\n"
        '    --transcript "Some call me nature." --consent "Alice agreed on 2026-11-01"',
        'ttsops voice import --input mei.mp3 --name Mei --language zh-CN --gender woman --consent "…"',
        "ttsops voice import --input en-Alice_woman.zip --to voices",
        "ttsops voice import VibeVoice/demo/voices/streaming_model/*.pt --to weights/voices",
    ),
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The same as FILE.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Refuse what this engine cannot speak from.  [default: take what suits any]",
)
@folder_option("--to")
@click.option("--name", help="Of a recording: id of the voice, such as `en-Alice_woman`, or `Alice` alone.")
@click.option("--language", help="Of a recording, where the name does not say it: BCP 47 tag.  [default: en]")
@click.option(
    "--gender",
    type=click.Choice(GENDERS),
    help="Of a recording, where the name does not say it.  [default: person]",
)
@click.option("--transcript", help="Of a recording: what is said in it, word for word; `f5` wants one.")
@click.option("--consent", help="Of a recording: that the speaker agreed, and when.")
@click.option("--licence", help="Of a recording: what may be done with the voice.")
def import_(
    files: tuple[Path, ...],
    inputs: tuple[Path, ...],
    engine: str | None,
    folder: Path | None,
    config: Path | None,
    **recording: str | None,
) -> None:
    """Import a voice: a recording of somebody who agreed, an exported voice, or published prompts.

    A recording in any common format becomes 24 kHz mono, trimmed and levelled; 0.4 to 30 s of speech by one
    person. What will be heard in the voice (noise, clipping, music) is said, and kept with it. `f5` speaks
    from 2 to 12 s with their transcript: without, the voice is kept for other engines.

    `.zip` is a voice that `ttsops voice export` wrote. `.pt` is a prompt of VibeVoice-Realtime: it becomes
    tensors (`NAME.safetensors`) and a manifest (`NAME.json`). Code that a prompt may hold is never run: a
    file that asks for any is refused. Nothing is downloaded.
    """
    chosen = (*files, *inputs)
    if not chosen:
        raise click.UsageError("there is no file to import")
    given = {name: value for name, value in recording.items() if value is not None}
    suffixes = {path.suffix.lower() for path in chosen}
    if engine == PROMPT_ENGINE or (engine is None and suffixes <= {*PROMPT_SUFFIXES}):
        _refuse_facts(given, f"these are prompts of `{PROMPT_ENGINE}`")
        _import_prompts(chosen, folder, config)
    elif suffixes == {ARCHIVE_SUFFIX}:
        _refuse_facts(given, "an exported voice brings its own")
        _import_archives(chosen, open_library(folder, config))
    else:
        _import_recording(chosen, open_library(folder, config), engine, given)


def _refuse_facts(given: dict[str, str], why: str) -> None:
    if given:
        names = ", ".join(f"--{name}" for name in given)
        raise InvalidValue(
            f"{names} is for recordings, and {why}", hint="for a recording for `f5` give `--engine f5`"
        )


def _import_recording(
    files: tuple[Path, ...], library: VoiceLibrary, engine: str | None, given: dict[str, str]
) -> None:
    from ttsops.voices.naming import name_voice
    from ttsops.voices.suits import wants_reference

    if len(files) != 1:
        raise InvalidValue(
            f"{len(files)} recordings: a voice is made from one", hint="import them one by one"
        )
    if not given.get("name"):
        raise InvalidValue("the voice has no name", hint="give `--name en-Alice_woman`", param="name")
    voice = name_voice(given["name"], given.get("language", ""), given.get("gender", ""))
    manifest = library.add(
        voice.id,
        files[0],
        given.get("transcript", ""),
        consent=given.get("consent", ""),
        licence=given.get("licence", ""),
        name=voice.name,
        needs_reference=engine is not None and wants_reference(engine),
    )
    _tell(manifest, library)


def _import_archives(files: tuple[Path, ...], library: VoiceLibrary) -> None:
    from ttsops.voices.archive import import_voice

    for path in files:
        try:
            packed = path.read_bytes()
        except OSError as error:
            raise AudioError(f"cannot read `{path}`: {error.strerror}") from error
        _tell(import_voice(library, packed), library)


def _tell(manifest: Manifest, library: VoiceLibrary) -> None:
    from ttsops.voices.suits import unsuited

    for finding in manifest.findings:
        warn(finding)
    for engine, why in unsuited(manifest).items():
        if why:
            say(f"Not for `{engine}`: {why}")
    kept = manifest.recording or manifest.baseline
    assert kept is not None
    says = f", `{manifest.baseline.transcript.strip()}`" if manifest.baseline else ""
    say(f"Imported `{manifest.id}` into `{library.folder}`: {kept.seconds:.1f} s{says}")


def _import_prompts(prompts: tuple[Path, ...], folder: Path | None, config: Path | None) -> None:
    from ttsops.engines import registry

    unavailable = registry.missing(PROMPT_ENGINE)
    if unavailable is not None:
        raise unavailable
    from ttsops.engines.vibevoice_realtime.voice_import import import_voice

    to = folder or _prompts_folder(config)
    for prompt in prompts:
        manifest = import_voice(prompt, to)
        say(f"Imported `{manifest.stem}` into `{to}`")


def _prompts_folder(config: Path | None) -> Path:
    from ttsops.engines.setup import read_options
    from ttsops.engines.vibevoice_realtime.card import RealtimeOptions

    setup = load_settings(config, os.environ).engine_settings(PROMPT_ENGINE)
    found = read_options(PROMPT_ENGINE, setup.options, RealtimeOptions).voices_folder
    if found is None:
        raise ConfigError(
            "there is no folder to import voices into",
            hint=f"give `--to voices`, or set `voices` in `[engines.{PROMPT_ENGINE}.options]`",
        )
    return found
