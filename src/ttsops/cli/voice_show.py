"""`ttsops voice show`: what is known of a voice, as text, JSON and a picture."""

from __future__ import annotations

from pathlib import Path

import click

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import verb
from ttsops.cli.voice_library import folder_option, open_library


@verb(
    "show",
    examples=(
        "ttsops voice show en-Alice_woman",
        "ttsops voice show en-Alice_woman --json",
        "ttsops voice show en-Alice_woman --picture alice.svg",
    ),
)
@click.argument("voice")
@folder_option("--in")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw its waveform, spectrogram and level into this SVG file.",
)
def show(voice: str, folder: Path | None, config: Path | None, as_json: bool, picture: Path | None) -> None:
    """Show what is known of a voice: quality, consent, transcript, which engines it suits."""
    from ttsops.audio import write_atomically
    from ttsops.cli.voice_report import described, print_report

    library = open_library(folder, config)
    manifest = library.get(voice)
    if picture is not None:
        from ttsops.ops.voice_picture import draw_voice

        quality = manifest.recording.quality if manifest.recording else None
        write_atomically(picture, draw_voice(library.recording(voice), f"Voice {manifest.id}", quality))
        say(f"Wrote `{picture}`")
    if as_json:
        print_json(described(manifest))
        return
    print_report(manifest)
