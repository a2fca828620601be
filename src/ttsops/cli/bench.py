"""`ttsops bench`."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.options import option_values
from ttsops.cli.output import EndWith, Exit, print_json, say, warn
from ttsops.cli.verb import config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.ops.bench import Bench, Level, Plan


@verb(
    "bench",
    examples=(
        "ttsops bench --engine vibevoice-realtime --find-capacity --plot capacity.svg",
        "ttsops bench --engine vibevoice-realtime --find-capacity --random-weights full --json",
        "ttsops bench --engine espeak --seconds 5 --max-streams 64",
        "ttsops bench --engine espeak --iterations 50 --json",
    ),
)
@config_option
@click.option("--engine", "--model", "engine", help="Engine.  [default: `engine` of the settings]")
@click.option(
    "--find-capacity", is_flag=True, help="Search for the most streams, to a sixteenth or to one stream."
)
@click.option(
    "--random-weights",
    type=click.Choice(["small", "full"]),
    help="Without weights: noise of the published model's size, or of a small one's.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.5), default=10.0, show_default=True, help="Length of a level."
)
@click.option(
    "--first", type=click.IntRange(1), default=1, show_default=True, help="Streams of the first level."
)
@click.option(
    "--max-streams", type=click.IntRange(1), help="Never more streams.  [default: what the engine holds]"
)
@click.option(
    "--iterations",
    type=click.IntRange(2),
    help="One listener at a time, so many utterances: RTF, first chunk, chunks, load times, memory.",
)
@click.option("-v", "--voice", default="", help="Voice of every stream.  [default: the engine's]")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=option_values,
    help="Option of the engine, in every request; may be repeated.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same requests.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the curve into this SVG file."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def bench(config: Path | None, engine: str | None, as_json: bool, plot: Path | None, **given: Any) -> None:
    """Measure how many live streams an engine keeps up with.

    The engine runs in its worker as it is served; each stream has a listener who plays it in real time. Twice
    as many listeners come each time, until a level of them has underruns twice. Measured at each level: step
    times, time to first audio, underruns. Exit code 1 if not even the first level was kept up with.

    With `--iterations` one listener asks again and again instead: mean, median, percentiles and deviation of
    RTF and first chunk, and how long the engine takes to load, from the disk and from memory.
    """
    if plot is not None and plot.suffix != ".svg":
        raise InvalidValue(f"cannot draw `{plot}`", hint="give a file whose name ends with `.svg`")
    from ttsops.observe import logs

    settings = load_settings(config, os.environ, {"engine": engine, "log.level": "warning"})
    logs.configure(settings.log.level, settings.log.format)
    if given["iterations"]:
        if plot is not None or given["find_capacity"]:
            raise click.UsageError("`--iterations` has no capacity to find and no curve to draw")
        from ttsops.cli.bench_iterations import run as run_one_by_one

        scene = _plan(given).scene
        run_one_by_one(settings, given["iterations"], scene, given["random_weights"] or "", as_json=as_json)
        return
    result = _run(settings, _plan(given), given["random_weights"] or "")
    if result.note:
        warn(result.note)
    if as_json:
        print_json(asdict(result))
    else:
        _print(result)
    if plot is not None:
        from ttsops.audio import write_atomically
        from ttsops.ops.bench import plot_svg

        write_atomically(plot, plot_svg(result))
        say(f"Wrote `{plot}`")
    if not result.capacity:
        raise EndWith(Exit.FAILED)


def _plan(given: dict[str, Any]) -> Plan:
    from ttsops.ops.bench import Plan, Scene

    return Plan(
        first=given["first"],
        limit=given["max_streams"],
        is_search=given["find_capacity"],
        scene=Scene(
            seconds=given["seconds"], voice=given["voice"], options=given["options"], seed=given["seed"]
        ),
    )


def _run(settings: Settings, plan: Plan, random_weights: Any) -> Bench:
    from ttsops.cli.progress import LateProgress
    from ttsops.ops.bench import run_bench

    n_levels = 0

    def on_level(level: Level) -> None:
        nonlocal n_levels
        n_levels += 1
        verdict = "kept up" if level.is_kept_up else f"{level.underruns} underruns"
        progress.update(n_levels, f"{level.streams} streams: {verdict}")

    with LateProgress() as progress:
        return asyncio.run(run_bench(settings, plan, random_weights=random_weights, on_level=on_level))


def _print(result: Bench) -> None:
    from rich.console import Console

    from ttsops.cli.bench_report import render

    # As wide as the table needs: what is cut off to fit a terminal cannot be read in a log.
    Console(highlight=False, soft_wrap=True, width=200).print(render(result))
