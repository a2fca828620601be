"""`ttsops render`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.options import option_values
from ttsops.cli.output import print_json, say
from ttsops.cli.verb import config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.render import Progress, Rendered, Wish

FORMATS = ("wav", "mp3", "opus", "aac", "flac")


@verb(
    "render",
    examples=(
        "ttsops render dialogue.txt -o dialogue.mp3 --voices en-us,en-gb",
        "ttsops render book.txt -o book.flac --engine vibevoice --voices en-Alice_woman",
        "ttsops render long.txt -o long.wav --engine vibevoice --turns-per-context 20",
    ),
)
@click.argument("script", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The recording."
)
@click.option(
    "-f", "--format", "fmt", type=click.Choice(FORMATS), help="Audio format.  [default: by the file's name]"
)
@click.option("-m", "--model", "--engine", "engine", help="Engine.  [default: `engine` of the settings]")
@click.option(
    "--voices",
    default="",
    metavar="A,B,...",
    help="Of the speakers, in the order of their numbers.  [default: the engine's]",
)
@click.option("--language", default="", help="BCP 47 tag.  [default: the first voice's]")
@click.option("--speed", default=1.0, show_default=True, help="2 speaks twice as fast, where the engine can.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same samples."
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=option_values,
    help="What only this engine takes; `ttsops engines NAME` lists it. May be repeated.",
)
@click.option(
    "--turns-per-context",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="For engines that read scripts: begin anew after so many turns, against drift; 0: never.",
)
@click.option(
    "--match/--no-match", default=True, show_default=True, help="Match loudness and pace between pieces."
)
@click.option("--restart", is_flag=True, help="Throw away what an earlier run has made.")
@click.option("--json", "as_json", is_flag=True, help="What came of it, as JSON on stdout.")
@config_option
def render(script: Path, out: Path, config: Path | None, engine: str | None, **given: Any) -> None:
    """Speak a script into a recording, with subtitles and chapters.

    Lines begin with `Speaker 1:`, `Speaker 2:`, …; a text without them is one speaker's, turn by paragraph. A
    line that begins with `# ` is a chapter's title. Written are OUT, and beside it `.srt`, `.vtt` and
    `.chapters.json`.

    Every turn that is done is kept in `OUT.render`, with `partial.wav`, which can be played meanwhile. After
    a crash the same command goes on where it stopped, to the same samples.
    """
    from ttsops.audio import Format, format_of_suffix
    from ttsops.observe import logs
    from ttsops.render import Wish

    settings = load_settings(config, os.environ, {"engine": engine})
    logs.configure("warning", "console")
    text = _read(script)
    fmt = Format(given["fmt"]) if given["fmt"] else format_of_suffix(out.suffix)
    wish = Wish(
        voices=[one.strip() for one in given["voices"].split(",") if one.strip()],
        language=given["language"],
        speed=given["speed"],
        seed=given["seed"],
        options=given["options"],
        turns_per_context=given["turns_per_context"],
        is_matched=given["match"],
    )
    try:
        rendered = _run(settings, text, wish, out, fmt, is_restart=given["restart"])
    except KeyboardInterrupt:
        say(f"Stopped; what is done is kept. The same command goes on: it is in `{out}.render`.")
        raise
    _tell(rendered, as_json=given["as_json"])


def _run(settings: Settings, text: str, wish: Wish, out: Path, fmt: Any, *, is_restart: bool) -> Rendered:
    from ttsops.cli.progress import LateProgress
    from ttsops.render import read_render_script, render
    from ttsops.render.speaker import Speaker

    read_render_script(text)  # what is wrong with it should not wait for a model to load
    speaker = Speaker(settings)
    try:
        with LateProgress(1.0) as bar:
            return render(
                speaker,
                text,
                wish,
                out,
                fmt,
                is_restart=is_restart,
                on_progress=lambda progress: bar.update(progress.share, _line(progress)),
            )
    finally:
        speaker.close()


def _line(progress: Progress) -> str:
    from ttsops.cli.progress import as_clock

    left = "" if progress.eta_seconds is None else f", {as_clock(progress.eta_seconds)} left"
    return (
        f"turn {min(progress.turns_done + 1, progress.n_turns)} of {progress.n_turns}, "
        f"{as_clock(progress.audio_seconds)} of speech{left}"
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidValue(f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"cannot read `{path}`: it is not UTF-8 text") from error


def _tell(rendered: Rendered, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "files": [str(path) for path in rendered.files],
                "audio_seconds": rendered.audio_seconds,
                "seconds": rendered.seconds,
                "resumed_at_seconds": rendered.resumed_at_seconds,
                "voices": {str(number): voice for number, voice in rendered.voices.items()},
                "turns": [
                    {
                        "start": turn.start / 24_000,
                        "end": turn.end / 24_000,
                        "is_estimated": turn.is_estimated,
                    }
                    for turn in rendered.turns
                ],
            }
        )
        return
    from ttsops.cli.progress import as_clock

    again = ""
    if rendered.resumed_at_seconds:
        again = f", gone on at {as_clock(rendered.resumed_at_seconds)}"
    say(
        f"Wrote `{rendered.path}`: {as_clock(rendered.audio_seconds)} of speech in "
        f"{as_clock(rendered.seconds)}{again}; subtitles and chapters beside it"
    )
