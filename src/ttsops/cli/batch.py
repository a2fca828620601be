"""`ttsops batch`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.options import option_values
from ttsops.cli.output import EndWith, Exit, print_json, say, warn
from ttsops.cli.verb import config_option, verb
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.batch import Defaults, Done, Progress
    from ttsops.batch.job import OpenSpeaker

FORMATS = ("wav", "mp3", "opus", "aac", "flac", "pcm")


@verb(
    "batch",
    examples=(
        "ttsops batch texts.jsonl speech",
        "ttsops batch texts.jsonl speech --format mp3 --voice en-gb",
        "ttsops batch texts.jsonl speech --retry-errors",
        "ttsops batch texts.jsonl speech --ray auto --gpus 1",
    ),
)
@click.argument("manifest", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-f",
    "--format",
    "fmt",
    type=click.Choice(FORMATS),
    default="wav",
    show_default=True,
    help="Of lines that name none.",
)
@click.option("-m", "--model", "--engine", "engine", help="Engine.  [default: `engine` of the settings]")
@click.option("-v", "--voice", default="", help="Voice id or one of OpenAI's names.  [default: the engine's]")
@click.option("--language", default="", help="BCP 47 tag.  [default: the voice's]")
@click.option("--speed", default=1.0, show_default=True, help="2 speaks twice as fast.")
@click.option("--pitch", default=1.0, show_default=True, help="Factor, where the engine has it.")
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
@click.option("--markdown/--no-markdown", default=True, help="Read Markdown as text.")
@click.option("--emoji/--no-emoji", default=True, help="Speak emoji by name.")
@click.option("--numbers/--no-numbers", default=True, help="Speak numbers as words.")
@click.option("--retry-errors", is_flag=True, help="Try lines again that failed in an earlier run.")
@click.option(
    "--ray",
    "ray_address",
    metavar="HOST:PORT",
    help="Speak on the machines of this Ray cluster; `auto`: the one this machine belongs to.",
)
@click.option("--workers", type=click.IntRange(1), help="With `--ray`.  [default: one for each machine]")
@click.option(
    "--cpus", type=click.FloatRange(0), default=1.0, show_default=True, help="With `--ray`: of each worker."
)
@click.option(
    "--gpus", type=click.FloatRange(0), default=0.0, show_default=True, help="With `--ray`: of each worker."
)
@click.option("--json", "as_json", is_flag=True, help="What came of it, as JSON on stdout.")
@config_option
def batch(
    manifest: Path,
    out: Path,
    config: Path | None,
    engine: str | None,
    retry_errors: bool,
    ray_address: str | None,
    workers: int | None,
    cpus: float,
    gpus: float,
    **given: Any,
) -> None:
    """Speak thousands of texts into as many files.

    MANIFEST has a JSON object per line: `text`, and what the line wants otherwise than the rest (`id`, which
    names the file, `engine`, `voice`, `language`, `format`, `speed`, `pitch`, `seed`, `options`). The folder
    OUT gets a file for each, `journal.jsonl` with what is done, and `errors.jsonl` with what could not be.

    It may be stopped at any time. The same command goes on: no line is lost, and none is spoken twice.

    Exit code 1 if lines failed or the disk is full, 2 if the manifest is wrong, 3 if an engine cannot be had.
    """
    from ttsops.audio import Format
    from ttsops.batch import Defaults
    from ttsops.observe import logs

    settings = load_settings(config, os.environ, {"engine": engine})
    logs.configure("warning", "console")
    as_json = given.pop("as_json")
    defaults = Defaults(engine=settings.engine, format=Format(given.pop("fmt")), **given)
    if ray_address is None:
        open_speaker = _here(settings)
    else:
        open_speaker = _on_ray(settings, ray_address, workers, cpus, gpus)
    try:
        done = _run(settings, manifest, out, defaults, open_speaker, retry_errors=retry_errors)
    except KeyboardInterrupt:
        say("Stopped; what is done is kept. The same command goes on.")
        raise
    _tell(done, out, as_json=as_json)


def _here(settings: Settings) -> OpenSpeaker:
    from ttsops.batch import runtime_speaker

    return partial(runtime_speaker, settings)


def _on_ray(settings: Settings, address: str, workers: int | None, cpus: float, gpus: float) -> OpenSpeaker:
    from ttsops.cluster.extra import require_ray

    require_ray()
    from ttsops.cluster.batch import ray_speaker

    return partial(ray_speaker, address, settings, n_workers=workers, cpus=cpus, gpus=gpus)


def _run(
    settings: Settings,
    manifest: Path,
    out: Path,
    defaults: Defaults,
    open_speaker: OpenSpeaker,
    *,
    retry_errors: bool,
) -> Done:
    import asyncio

    from ttsops.batch import Patience, run_batch
    from ttsops.cli.progress import LateProgress, LogLines

    lines = LogLines()
    with LateProgress(1.0) as bar:

        def tell(progress: Progress) -> None:
            text = _line(progress)
            bar.update(progress.n_ended / progress.n_lines, text)
            lines.update(text)

        return asyncio.run(
            run_batch(
                manifest,
                out,
                defaults,
                open_speaker,
                Patience(settings.runtime.load_seconds),
                retries_errors=retry_errors,
                on_progress=tell,
            )
        )


def _line(progress: Progress) -> str:
    from ttsops.cli.progress import as_clock

    failed = f", {progress.n_failed} failed" if progress.n_failed else ""
    left = "" if progress.eta_seconds is None else f", {as_clock(progress.eta_seconds)} left"
    return (
        f"line {progress.n_ended} of {progress.n_lines}{failed}, "
        f"{as_clock(progress.audio_seconds)} of speech{left}"
    )


def _tell(done: Done, out: Path, *, as_json: bool) -> None:
    from ttsops.cli.progress import as_clock

    if as_json:
        print_json(done)
    else:
        before = f"; {done.n_before} were there already" if done.n_before else ""
        say(
            f"Wrote {done.n_spoken} of {done.n_lines} files into `{out}`: {as_clock(done.audio_seconds)} of "
            f"speech in {as_clock(done.seconds)}{before}"
        )
    if done.n_failed:
        warn(f"{done.n_failed} lines failed: `{out}/errors.jsonl` says why, `--retry-errors` tries again")
        raise EndWith(Exit.FAILED)
