"""`ttsops voice`: voices from recordings, from their import to their end."""

from __future__ import annotations

from pathlib import Path

import click

from ttsops.cli.output import print_json, say, warn
from ttsops.cli.verb import HELP, VerbGroup, verb
from ttsops.cli.voice_import import import_
from ttsops.cli.voice_library import folder_option, open_library
from ttsops.cli.voice_show import show
from ttsops.cli.voice_trial import test
from ttsops.cli.voice_variants import variants
from ttsops.errors import InvalidValue


@click.group(
    "voice",
    cls=VerbGroup,
    examples=(
        'ttsops voice import --input alice.m4a --name en-Alice_woman --consent "Alice agreed on 2026-11-01"',
        "ttsops voice list",
        "ttsops voice show en-Alice_woman --picture alice.svg",
        "ttsops voice test en-Alice_woman --engine f5",
    ),
    context_settings=HELP,
)
def voice() -> None:
    """Import voices from recordings, judge them, try them, hand them on.

    They are kept in one folder (`[voices] folder`) for all engines that clone. Whom an engine can speak as,
    its own voices included, is listed by `ttsops voices`.
    """


@verb("list", examples=("ttsops voice list", "ttsops voice list --in voices --json"))
@folder_option("--in")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(folder: Path | None, config: Path | None, as_json: bool) -> None:
    """List the voices of the library, how good they are, and which engines they suit. Loads no engine."""
    from ttsops.cli.voice_report import described, print_list

    library = open_library(folder, config)
    found = list(library.manifests())
    if as_json:
        print_json([described(one) for one in found])
        return
    print_list(found)
    n_unreadable = len(library.ids()) - len(found)
    if n_unreadable:
        warn(f"{n_unreadable} voices cannot be read: `ttsops voice show` says why")
    say(f"{len(found)} voices in `{library.folder}`")


@verb("remove", examples=("ttsops voice remove en-Alice_woman --in voices",))
@click.argument("voice")
@folder_option("--in")
def remove(voice: str, folder: Path | None, config: Path | None) -> None:
    """Delete a voice made from a recording, with all its recordings."""
    library = open_library(folder, config)
    library.remove(voice)
    say(f"Removed `{voice}` from `{library.folder}`")


@verb("export", examples=("ttsops voice export en-Alice_woman --out alice.zip",))
@click.argument("voice")
@folder_option("--in")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [default: the voice's id and `.zip`]",
)
def export(voice: str, folder: Path | None, config: Path | None, out: Path | None) -> None:
    """Write a voice as one file: recordings, quality, consent. `ttsops voice import --input` reads it."""
    from ttsops.audio import write_atomically
    from ttsops.voices.archive import export_voice

    library = open_library(folder, config)
    packed = export_voice(library, voice)
    path = out or Path(f"{library.get(voice).id}.zip")
    if path.suffix.lower() != ".zip":
        raise InvalidValue(
            f"`{path}` does not end in `.zip`", hint="an exported voice is told by it when it is imported"
        )
    write_atomically(path, packed)
    say(f"Wrote `{path}`: {len(packed) / 1024:.0f} KiB, with the consent of {library.get(voice).consent.who}")


for _command in (import_, list_, show, test, variants, remove, export):
    voice.add_command(_command)
