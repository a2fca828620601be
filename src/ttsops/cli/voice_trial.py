"""`ttsops voice test`: a sentence in the voice, and what is heard of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ttsops.cli.output import EndWith, Exit, print_json, say, warn
from ttsops.cli.verb import verb
from ttsops.cli.voice_library import folder_option
from ttsops.errors import InvalidValue, NotInstalled
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.audio import AudioReport
    from ttsops.cli.speaking import Spoken
    from ttsops.speech import Samples

SENTENCE = "The first bus leaves at seven, and the second one an hour later."
MAX_WER = 0.5
"""More than half of the words wrong is no speech, even to a weak recogniser."""

MIN_SECONDS_PER_WORD = 0.1


@dataclass(frozen=True, slots=True)
class _Words:
    """What the recogniser heard, or why it was not asked."""

    text: str = ""
    wer: float | None = None
    not_judged: str = ""


@verb(
    "test",
    examples=(
        "ttsops voice test en-Alice_woman --engine f5",
        "ttsops voice test en-us+klatt4 --engine espeak",
        'ttsops voice test en-Alice_woman --text "Good morning." --out morning.wav --json',
    ),
)
@click.argument("voice")
@folder_option("--in")
@click.option("--engine", "--model", "engine", help="Speak with this one.  [default: that of the settings]")
@click.option("--text", default=SENTENCE, show_default=True, help="What is spoken.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Keep it as an audio file."
)
@click.option(
    "--max-wer",
    default=MAX_WER,
    show_default=True,
    type=click.FloatRange(0),
    help="Words the recogniser may mistake, per word said.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def test(
    voice: str,
    folder: Path | None,
    config: Path | None,
    engine: str | None,
    text: str,
    out: Path | None,
    max_wer: float,
    as_json: bool,
) -> None:
    """Speak a sentence in a voice, and judge it: sound, length, and the words a recogniser hears.

    The recogniser (of the extra `quality`) knows English, and is weaker than people. It is not asked of
    random weights, which make noise. Exit code 1 if something is wrong with the sound or the words.
    """
    import asyncio

    from ttsops.audio import check_audio
    from ttsops.observe import logs
    from ttsops.ops.random_weights import note_of

    settings = _settings(config, folder, engine)
    logs.configure("warning", "console")
    samples, spoken = asyncio.run(_speak(settings, voice, text))
    note = note_of(settings.engine_settings(settings.engine))
    report = check_audio(samples, 24_000)
    words = _Words(not_judged=note) if note else _hear(samples, text, spoken.language)
    problems = _problems(report, words, text, max_wer)
    if out is not None:
        _keep(out, samples, settings.engine)
    if note:
        warn(note)
    if as_json:
        print_json(_figures(spoken, report, words, problems, note))
    else:
        _print(spoken, report, words, problems)
    if problems:
        raise EndWith(Exit.FAILED)


def _settings(config: Path | None, folder: Path | None, engine: str | None) -> Settings:
    settings = load_settings(config, os.environ, {"engine": engine})
    if folder is None:
        return settings
    return msgspec.structs.replace(
        settings, voices=msgspec.structs.replace(settings.voices, folder=str(folder))
    )


async def _speak(settings: Settings, voice: str, text: str) -> tuple[Samples, Spoken]:
    import numpy as np

    from ttsops.cli.speaking import Wish, speak
    from ttsops.errors import NoAudio
    from ttsops.speech import SpeechRequest
    from ttsops.text import TextOptions

    pieces: list[Samples] = []

    async def take(samples: Samples) -> None:
        pieces.append(samples)

    wish = Wish(text=text, request=SpeechRequest("", voice=voice, seed=0), text_options=TextOptions())
    spoken = await speak(settings, wish, take)
    if not pieces:
        raise NoAudio("nothing was spoken")
    return np.concatenate(pieces), spoken


def _hear(samples: Samples, text: str, language: str) -> _Words:
    from ttsops.ops.quality.words import Recogniser, is_english

    if not is_english(language):
        return _Words(not_judged=f"the recogniser knows English, not `{language}`")
    try:
        heard = Recogniser().hear(samples, 24_000, text)
    except (NotInstalled, InvalidValue) as error:
        return _Words(not_judged=f"{error.message}{f': {error.hint}' if error.hint else ''}")
    return _Words(heard.text, heard.wer)


def _problems(report: AudioReport, words: _Words, text: str, max_wer: float) -> list[str]:
    found = list(report.problems)
    least = MIN_SECONDS_PER_WORD * len(text.split())
    if report.seconds < least:
        found.append(f"{report.seconds:.2f} s are too short for {len(text.split())} words")
    if words.wer is not None and words.wer > max_wer:
        found.append(f"{words.wer:.0%} of the words are mistaken, at most {max_wer:.0%} is accepted")
    return found


def _figures(
    spoken: Spoken, report: AudioReport, words: _Words, problems: list[str], note: str
) -> dict[str, object]:
    return {
        "engine": spoken.engine,
        "voice": spoken.voice,
        "note": note,
        "seconds": round(report.seconds, 3),
        "rtf": spoken.rtf,
        "peak_dbfs": round(report.peak_dbfs, 2),
        "rms_dbfs": round(report.rms_dbfs, 2),
        "heard": words.text,
        "wer": words.wer,
        "words_not_judged": words.not_judged,
        "problems": problems,
    }


def _print(spoken: Spoken, report: AudioReport, words: _Words, problems: list[str]) -> None:
    rtf = "" if spoken.rtf is None else f", RTF {spoken.rtf:.3g}"
    click.echo(f"engine {spoken.engine}, voice {spoken.voice}: {report.seconds:.2f} s{rtf}")
    click.echo(f"sound  peak {report.peak_dbfs:.1f} dBFS, RMS {report.rms_dbfs:.1f} dBFS")
    judged = f"WER {words.wer:.0%}: {words.text}" if words.wer is not None else words.not_judged
    click.echo(f"words  {'' if words.wer is not None else 'not judged: '}{judged}")
    for problem in problems:
        warn(problem)
    if problems:
        say(f"{len(problems)} things are wrong")
    else:
        say(
            "The voice speaks"
            if words.wer is not None
            else "There is sound; whether it speaks was not judged"
        )


def _keep(out: Path, samples: Samples, engine: str) -> None:
    from ttsops.audio import Format, create_encoder, format_of_suffix, synthetic_speech, write_atomically

    fmt = format_of_suffix(out.suffix) if out.suffix else Format.WAV
    encoder = create_encoder(fmt, total_samples=len(samples), tags=synthetic_speech(engine))
    write_atomically(out, encoder.encode(samples) + encoder.finish())
    say(f"Wrote `{out}`")
