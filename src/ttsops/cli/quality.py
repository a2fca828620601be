"""`ttsops quality`: sweep, score, ab, ratings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.output import EndWith, Exit, complain, print_json, say, warn
from ttsops.cli.quality_listen import ab, ratings
from ttsops.cli.quality_score import score, tell_loading
from ttsops.cli.verb import HELP, config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import load_settings
from ttsops.settings.fields import parse_scalar
from ttsops.speech import OptionValue

if TYPE_CHECKING:
    from ttsops.ops.quality.manifest import Manifest
    from ttsops.ops.quality.report import Report
    from ttsops.ops.quality.sweep import Plan, Progress
    from ttsops.settings import Settings

PLOT_FILE, PAGE_FILE = "speed_against_quality.svg", "listen.html"


@click.group(context_settings=HELP)
def quality() -> None:
    """Find out what faster settings cost: in figures, and by ear."""


def _values(context: click.Context, parameter: click.Parameter, text: str | None) -> list[OptionValue]:
    """Callback: `5,7,32` → `[5, 7, 32]`."""
    return [] if text is None else [parse_scalar(one.strip()) for one in text.split(",") if one.strip()]


def _axes(
    context: click.Context, parameter: click.Parameter, texts: Sequence[str]
) -> dict[str, list[OptionValue]]:
    """Callback: `sway=-1,0` → `{"sway": [-1, 0]}`."""
    found: dict[str, list[OptionValue]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"`{text}` must be NAME=VALUE,VALUE,…")
        found.setdefault(name, []).extend(_values(context, parameter, values))
    return found


def _seeds(context: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    """Callback: `1,2` → `[1, 2]`."""
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"`{text}` must be whole numbers, comma between them") from None


@verb(
    "sweep",
    examples=(
        "ttsops quality sweep --engine f5 --nfe 5,6,7,8,12,16,32 --out sweep",
        "ttsops quality sweep --engine f5 --nfe 7,32 --option cfg_strength=1.5,2 --seeds 1,2 --out sweep",
        "ttsops quality sweep --engine vibevoice-realtime --steps 3,5,10 --texts texts.txt --out sweep",
    ),
)
@config_option
@click.option("--engine", "--model", "engine", help="Engine.  [default: `engine` of the settings]")
@click.option("--nfe", callback=_values, metavar="V1,V2,…", help="Values of the option `nfe`.")
@click.option("--steps", callback=_values, metavar="V1,V2,…", help="Values of the option `steps`.")
@click.option(
    "--option",
    "axes",
    multiple=True,
    metavar="NAME=V1,V2,…",
    callback=_axes,
    help="Values of any option of the engine; every combination is made. May be repeated.",
)
@click.option(
    "--texts",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What is said, one text per line.  [default: six sentences in English]",
)
@click.option("--seeds", default="1", show_default=True, callback=_seeds, help="Seeds, comma between them.")
@click.option("--reference", default="", help="Setting the others are compared with.  [default: the highest]")
@click.option("-v", "--voice", default="", help="Voice of every take.  [default: the engine's]")
@click.option("--language", default="", help="BCP 47 tag.  [default: the voice's]")
@click.option(
    "--random-weights",
    type=click.Choice(["small", "full"]),
    help="Without weights: noise of the published model's size, or of a small one's.",
)
@click.option("--scores/--no-scores", default=True, help="Predict opinions, and let a recogniser listen.")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the takes and reports; what it already holds is not made again.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on stdout, not as a table.")
def sweep(config: Path | None, engine: str | None, out: Path, as_json: bool, **given: Any) -> None:
    """Speak the same texts with the same seeds at every setting, and compare.

    Into the folder go the takes (`SETTING/TEXT-SEED.wav`), `manifest.json`, `report.json`, a plot of speed
    against quality and `listen.html`, a page for blind listening. Distances are those from the reference
    setting. The engine runs in this command, one utterance at a time, so that RTF is its own.

    An interrupted sweep goes on where it was; more settings and seeds widen it. Without the extra `quality`
    the scores are left out. Exit code 1 if a take failed.
    """
    from ttsops.observe import logs

    settings = load_settings(config, os.environ, {"engine": engine, "log.level": "warning"})
    logs.configure(settings.log.level, settings.log.format)
    manifest = _speak(settings, _plan(given), out)
    report = _measure(manifest, out, with_scores=given["scores"])
    written = _write(manifest, report, out)
    if report.note:
        warn(report.note)
    if as_json:
        print_json(report)
    else:
        _print(report)
    say(f"Wrote {', '.join(f'`{path}`' for path in written)}")
    for failure in report.failures:
        complain(click.ClickException(failure))
    if report.failures:
        raise EndWith(Exit.FAILED)


for command in (sweep, score, ab, ratings):
    quality.add_command(command)


def _plan(given: dict[str, Any]) -> Plan:
    from ttsops.ops.loadtest.corpus import read_corpus
    from ttsops.ops.quality.sweep import DEFAULT_TEXTS, Plan

    axes: dict[str, list[OptionValue]] = {}
    for name, values in [("nfe", given["nfe"]), ("steps", given["steps"]), *given["axes"].items()]:
        if values:
            axes.setdefault(name, []).extend(values)
    if not axes:
        raise click.UsageError("there is nothing to sweep: give `--nfe`, `--steps` or `--option NAME=V1,V2`")
    return Plan(
        axes=axes,
        texts=read_corpus(given["texts"]) if given["texts"] else DEFAULT_TEXTS,
        seeds=given["seeds"],
        voice=given["voice"],
        language=given["language"],
        reference=given["reference"],
        random_weights=given["random_weights"] or "",
    )


def _speak(settings: Settings, plan: Plan, folder: Path) -> Manifest:
    import asyncio

    from ttsops.cli.progress import LateProgress
    from ttsops.ops.quality.sweep import plan_sweep, run_sweep

    total = len(plan_sweep(settings, plan, folder).missing(folder))

    def on_take(made: Progress) -> None:
        progress.update(made.done, f"{made.done} of {made.total} takes, last {made.take.setting}")

    with LateProgress(total) as progress:
        return asyncio.run(run_sweep(settings, plan, folder, on_take=on_take))


def _measure(manifest: Manifest, folder: Path, *, with_scores: bool) -> Report:
    from ttsops.cli.progress import LateProgress
    from ttsops.ops.quality.report import measure_sweep

    with LateProgress(len(manifest.takes)) as progress:
        return measure_sweep(
            manifest,
            folder,
            with_scores=with_scores,
            on_take=lambda done, total: progress.update(done, f"{done} of {total} takes measured"),
            on_load=tell_loading,
        )


def _write(manifest: Manifest, report: Report, folder: Path) -> list[Path]:
    from ttsops.audio import write_atomically
    from ttsops.ops.quality.page import listening_page
    from ttsops.ops.quality.pairs import pairs_of_sweep
    from ttsops.ops.quality.plot import plot_svg
    from ttsops.ops.quality.report import FILE, write_report

    write_report(folder, report)
    write_atomically(folder / PLOT_FILE, plot_svg(report))
    written = [folder / FILE, folder / PLOT_FILE]
    try:
        session = pairs_of_sweep(folder, manifest)
    except InvalidValue as error:  # a single setting, or no take beside the reference's
        say(f"No listening page: {error.message}")
        return written
    write_atomically(folder / PAGE_FILE, listening_page(session))
    return [*written, folder / PAGE_FILE]


def _print(report: Report) -> None:
    from rich.console import Console

    from ttsops.cli.quality_report import render_sweep

    # As wide as the table needs: what is cut off to fit a terminal cannot be read in a log.
    Console(highlight=False, soft_wrap=True, width=200).print(render_sweep(report))
