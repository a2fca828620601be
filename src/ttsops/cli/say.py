"""`ttsops say`, also called `synth`."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.options import option_values
from ttsops.cli.output import print_json
from ttsops.cli.output import say as tell
from ttsops.cli.verb import Verb, config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.cli.sinks import Sink
    from ttsops.cli.speaking import Spoken, Wish

FORMATS = ("wav", "mp3", "opus", "aac", "flac", "pcm")
SPARE_FILE = Path("speech.wav")


def _make(name: str) -> Verb:
    """The verb under one of its two names."""
    decorate = verb(
        name,
        examples=(
            f'ttsops {name} "Hello from tts-ops"',
            f'ttsops {name} "Hello" --out hello.mp3 --voice en-gb --speed 1.2',
            f"ttsops {name} --file chapter.txt --out chapter.flac",
            f'ttsops {name} "Ready." --stdout --format wav > ready.wav',
            f"echo It is late. | ttsops {name} -",
        ),
    )
    return decorate(_options(_say))


def _options(function: Any) -> Any:
    for decorate in reversed(_OPTIONS):
        function = decorate(function)
    return function


_OPTIONS = (
    click.argument("words", metavar="[TEXT]...", nargs=-1),
    click.option(
        "--stdin", "from_stdin", is_flag=True, help="Read the text from stdin, as does `-` for TEXT."
    ),
    click.option(
        "--file", type=click.Path(path_type=Path, dir_okay=False), help="Read the text from a file."
    ),
    click.option(
        "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a file; `-` is stdout."
    ),
    click.option("--stdout", "to_stdout", is_flag=True, help="Write the audio to stdout, as it is made."),
    click.option(
        "-f",
        "--format",
        type=click.Choice(FORMATS),
        help="Audio format.  [default: by the file's name, else wav]",
    ),
    click.option("-m", "--model", "--engine", "engine", help="Engine.  [default: `engine` of the settings]"),
    click.option(
        "-v", "--voice", default="", help="Voice id or one of OpenAI's names.  [default: the engine's]"
    ),
    click.option("--language", default="", help="BCP 47 tag.  [default: the voice's]"),
    click.option("--speed", default=1.0, show_default=True, help="2 speaks twice as fast."),
    click.option(
        "--pitch",
        default=1.0,
        show_default=True,
        help="Factor on the voice's pitch, where the engine has it.",
    ),
    click.option(
        "--seed", type=click.IntRange(0), help="The same seed, the same samples, where the engine can."
    ),
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        callback=option_values,
        help="What only this engine takes; `ttsops engines NAME` lists it. May be repeated.",
    ),
    click.option(
        "--seconds",
        type=click.FloatRange(0, 86_400, min_open=True),
        help="Exactly so much audio: the text is repeated, and cut off, as needed.",
    ),
    click.option("--markdown/--no-markdown", default=True, help="Read Markdown as text."),
    click.option("--emoji/--no-emoji", default=True, help="Speak emoji by name."),
    click.option("--numbers/--no-numbers", default=True, help="Speak numbers as words."),
    click.option(
        "--metrics",
        "with_metrics",
        is_flag=True,
        help="Figures as JSON: on stdout, or stderr if audio is there.",
    ),
    config_option,
)


def _say(words: tuple[str, ...], config: Path | None, engine: str | None, **given: Any) -> None:
    """Speak TEXT: play it, or write it to a file.

    Without `--out`, `--stdout` and `--format` it is played by paplay, aplay, play or ffplay; where none of
    them is installed or works, `speech.wav` is written. The engine runs in this command; no server is needed.

    Files have their peak at -1 dBFS and appear when they are complete. Text from stdin is spoken while it
    arrives, unless it goes into a file.
    """
    import asyncio

    from ttsops.observe import logs

    settings = load_settings(config, os.environ, {"engine": engine})
    logs.configure("warning", "console")
    is_from_stdin = _is_from_stdin(words, given)
    sink = _sink(given, settings.engine)
    wish = _wish(words, given, is_from_stdin, sink)
    spoken, path = asyncio.run(_speak_into(settings, wish, sink))
    if path:
        tell(_summary(path, spoken))
    if given["with_metrics"]:
        print_json(_metrics(spoken, path), err=_goes_to_stdout(given))


async def _speak_into(settings: Settings, wish: Wish, sink: Sink) -> tuple[Spoken, Path | None]:
    from ttsops.cli.progress import LateProgress
    from ttsops.cli.speaking import speak
    from ttsops.speech import SAMPLE_RATE, Samples

    n_samples = 0
    try:
        with LateProgress(wish.seconds) as progress:

            async def take(samples: Samples) -> None:
                nonlocal n_samples
                n_samples += len(samples)
                await sink.take(samples)
                progress.update(n_samples / SAMPLE_RATE, f"{n_samples / SAMPLE_RATE:.0f} s of speech")

            spoken = await speak(settings, wish, take)
        return spoken, await sink.finish()
    except BaseException:
        # While the event loop still runs: a player's pipe is closed on it.
        await sink.abandon()
        raise


def _is_from_stdin(words: tuple[str, ...], given: dict[str, Any]) -> bool:
    """Where the text is. Raises `UsageError` if it is in two places, or in none."""
    from_stdin = given["from_stdin"] or words == ("-",)
    from_words = bool(words) and words != ("-",)
    n_sources = from_words + from_stdin + bool(given["file"])
    if n_sources > 1:
        raise click.UsageError("the text is given twice: as words, by `--file` or by `--stdin`")
    if not n_sources and sys.stdin.isatty():
        raise click.UsageError("there is no text to say")
    return from_stdin or not n_sources


def _goes_to_stdout(given: dict[str, Any]) -> bool:
    return given["to_stdout"] or str(given["out"]) == "-"


def _sink(given: dict[str, Any], engine: str) -> Sink:
    """Where the audio goes. Raises `UsageError` and `UnsupportedFormat` before anything is spoken."""
    from ttsops.audio import Format, format_of_suffix
    from ttsops.cli.sinks import FileSink, StdoutSink, player_or_file

    fmt = Format(given["format"]) if given["format"] else None
    path: Path | None = given["out"]
    if given["to_stdout"] and path and str(path) != "-":
        raise click.UsageError("`--out` and `--stdout` cannot both be given")
    if _goes_to_stdout(given):
        return StdoutSink(fmt or Format.WAV, engine)
    if path:
        return FileSink(path, fmt or (format_of_suffix(path.suffix) if path.suffix else Format.WAV), engine)
    if fmt:
        return FileSink(SPARE_FILE.with_suffix(f".{fmt}"), fmt, engine)
    return player_or_file(SPARE_FILE, engine)


def _wish(words: tuple[str, ...], given: dict[str, Any], is_from_stdin: bool, sink: Sink) -> Wish:
    from ttsops.cli.speaking import Wish
    from ttsops.cli.stdin_text import arriving_text
    from ttsops.speech import SpeechRequest
    from ttsops.text import TextOptions

    names = ("voice", "language", "speed", "pitch", "seed", "options")
    text: Any = " ".join(words)
    if given["file"]:
        text = _read_file(given["file"])
    elif is_from_stdin:
        is_whole = given["seconds"] or not sink.is_live
        text = sys.stdin.buffer.read().decode(errors="replace") if is_whole else arriving_text()
    return Wish(
        text=text,
        request=SpeechRequest(text="", **{name: given[name] for name in names}),
        text_options=TextOptions(markdown=given["markdown"], emoji=given["emoji"], numbers=given["numbers"]),
        seconds=given["seconds"],
        is_live=sink.is_live,
    )


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidValue(f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"cannot read `{path}`: it is not UTF-8 text") from error


def _summary(path: Path, spoken: Spoken) -> str:
    facts = [] if spoken.rtf is None else [f"RTF {spoken.rtf:.3g}"]
    if spoken.first_audio_seconds is not None:
        facts.append(f"first audio after {1000 * spoken.first_audio_seconds:.0f} ms")
    facts += [f"engine {spoken.engine}", f"voice {spoken.voice}"]
    return f"Wrote `{path}`: {spoken.audio_seconds:.1f} s of audio ({', '.join(facts)})"


def _metrics(spoken: Spoken, path: Path | None) -> dict[str, Any]:
    return asdict(spoken) | {"rtf": spoken.rtf, "file": None if path is None else str(path)}


say = _make("say")
synth = _make("synth")
