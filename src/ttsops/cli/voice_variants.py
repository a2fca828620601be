"""`ttsops voice variants`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import verb
from ttsops.cli.voice_library import folder_option, open_library
from ttsops.errors import InvalidValue

if TYPE_CHECKING:
    from ttsops.speech import Samples
    from ttsops.voices.library import VoiceLibrary
    from ttsops.voices.variants import Kind, Variant


@verb(
    "variants",
    examples=(
        "ttsops voice variants en-Alice_woman",
        "ttsops voice variants en-Alice_woman --pitch 0.95,1.05 --out variants",
        "ttsops voice variants en-Alice_woman --rate 0.9 --add",
    ),
)
@click.argument("voice")
@folder_option("--in")
@click.option("--pitch", help="Factors with commas between them, 0.5 to 2.")
@click.option("--rate", help="Factors: 1.1 speaks ten percent faster; 0.5 to 2.")
@click.option("--level", help="Decibels, -30 to 12; the peak stays at -1 dBFS or below.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write each as a WAV file here."
)
@click.option("--add", is_flag=True, help="Make each a voice of the library, with the consent of this one.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def variants(
    voice: str,
    folder: Path | None,
    config: Path | None,
    pitch: str | None,
    rate: str | None,
    level: str | None,
    out: Path | None,
    add: bool,
    as_json: bool,
) -> None:
    """Make a voice higher, lower, faster, slower, louder or quieter, and measure each.

    Signal processing, not another take: formants move with the pitch, as if the speaker were smaller or
    larger. Without options: pitch and rate 0.9 and 1.1, level -6.
    """
    from ttsops.voices.quality import measure_voice
    from ttsops.voices.variants import DEFAULTS, make_variant

    wanted = _wanted(pitch, rate, level) or DEFAULTS
    library = open_library(folder, config)
    samples = library.recording(voice)
    made = [make_variant(samples, kind, amount) for kind, amount in wanted]
    if out is not None:
        _write(out, voice, made)
    if add:
        _add(library, voice, made)
    own = measure_voice(samples, 24_000)
    found = [("as it is", own), *((one.name, one.quality) for one in made)]
    if as_json:
        print_json({name: msgspec.to_builtins(quality) for name, quality in found})
        return
    from ttsops.cli.voice_report import print_qualities

    print_qualities(found)


def _wanted(pitch: str | None, rate: str | None, level: str | None) -> list[tuple[Kind, float]]:
    found: list[tuple[Kind, float]] = []
    given: Sequence[tuple[Kind, str | None]] = (("pitch", pitch), ("rate", rate), ("level", level))
    for kind, text in given:
        try:
            found += [(kind, float(part)) for part in (text or "").split(",") if part.strip()]
        except ValueError:
            raise InvalidValue(
                f"`--{kind}` is `{text}`, must be numbers with commas between them", param=kind
            ) from None
    return found


def _write(out: Path, voice: str, made: Sequence[Variant]) -> None:
    from ttsops.audio import write_atomically
    from ttsops.voices.keeping import clear_errors

    with clear_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    for one in made:
        write_atomically(out / f"{one.name}.wav", _wav(one.samples))
    say(f"Wrote {len(made)} variants of `{voice}` into `{out}`")


def _add(library: VoiceLibrary, voice: str, made: Sequence[Variant]) -> None:
    """Raises `InvalidValue` for a level, which the library sets itself, and as `VoiceLibrary.add` does."""
    from ttsops.voices.manifest import CONSENT_FILE
    from ttsops.voices.naming import name_voice

    if any(one.kind == "level" for one in made):
        raise InvalidValue(
            "the library keeps all voices at one level: a level makes no other voice",
            hint="give `--pitch` or `--rate` with `--add`",
            param="level",
        )
    manifest = library.get(voice)
    said = manifest.consent
    for one in made:
        name = name_voice(f"{manifest.voice.id.split('-')[-1].split('_')[0]} {one.word}",
                          manifest.language, manifest.gender)  # fmt: skip
        library.add(
            name.id,
            _wav(one.samples),
            manifest.baseline.transcript if manifest.baseline else "",
            consent=said,
            consent_recording=library.file(voice, CONSENT_FILE) if said.recording_sha256 else b"",
            source_name=f"{manifest.id} {one.name}",
            licence=manifest.licence,
            name=f"{manifest.name}, {one.name}",
        )
        say(f"Imported `{name.id}` into `{library.folder}`")


def _wav(samples: Samples) -> bytes:
    from ttsops.audio import Format, create_encoder

    encoder = create_encoder(Format.WAV, total_samples=len(samples))
    return encoder.encode(samples) + encoder.finish()
