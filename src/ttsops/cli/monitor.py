"""`ttsops monitor`: the same suite every night, and whether today is worse than before."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ttsops.cli.output import EndWith, Exit, complain, print_json, say, warn
from ttsops.cli.verb import HELP, config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.ops.monitor import Plan, Run


@click.group(context_settings=HELP)
def monitor() -> None:
    """Watch speed and sound from run to run."""


def history_option(function: Any) -> Any:
    """`--history FILE`."""
    return click.option(
        "--history",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of the runs.  [default: `monitor.history` of the settings]",
    )(function)


@verb(
    "run",
    examples=(
        "ttsops monitor run",
        "ttsops monitor run --engine espeak --history /var/lib/ttsops/monitor.jsonl",
        "ttsops monitor run --new-baseline",
    ),
)
@config_option
@click.option("--engine", "--model", "engine", help="Engine.  [default: `engine` of the settings]")
@history_option
@click.option("-v", "--voice", default="", help="Voice of every text.  [default: the engine's]")
@click.option("--repeats", type=click.IntRange(1, 100), help="Of each text.  [default: of the settings]")
@click.option(
    "--random-weights",
    type=click.Choice(["small", "full"]),
    help="Without weights: noise of the published model's size, or of a small one's.",
)
@click.option("--new-baseline", is_flag=True, help="From here on this is the norm; compare with nothing.")
@click.option("--no-scores", is_flag=True, help="No predicted opinions and no recogniser, also if installed.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def run(config: Path | None, engine: str | None, as_json: bool, **given: Any) -> None:
    """Speak the suite, add a line to the history, and judge it.

    Fixed texts and seeds, several times in turns, by the engine in its worker as it is served. Limits are
    those of `[monitor]` in the settings. What looks bad is measured again before it is called a regression.

    Exit code 1 if it is one, with the reason.
    """
    from ttsops.observe import logs

    settings = load_settings(config, os.environ, {"engine": engine, "log.level": "warning"})
    logs.configure(settings.log.level, settings.log.format)
    done = _run(settings, _plan(settings, given), given["random_weights"] or "")
    if done.subject.note:
        warn(done.subject.note)
    if as_json:
        print_json(done)
    else:
        from ttsops.cli.monitor_report import lines

        click.echo("\n".join(lines(done)))
    if done.verdict.word != "ok":
        complain(click.ClickException("regression: " + "; ".join(done.verdict.reasons)))
        raise EndWith(Exit.FAILED)


@verb("history", examples=("ttsops monitor history", "ttsops monitor history --engine tone --last 5 --json"))
@config_option
@history_option
@click.option("--engine", "--model", "engine", help="Only runs of this engine.")
@click.option("--verdict", type=click.Choice(["ok", "regression"]), help="Only runs that ended so.")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, everything that is known of each.")
def history(
    config: Path | None,
    history: Path | None,
    engine: str | None,
    verdict: Literal["ok", "regression"] | None,
    last: int,
    as_json: bool,
) -> None:
    """Show the runs of the history, oldest first.

    Lines that cannot be read, as a crash leaves them, are told and left out.
    """
    found = [
        one
        for one in _read(config, history)
        if engine in (None, one.subject.engine) and verdict in (None, one.verdict.word)
    ][-last:]
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    from ttsops.cli.monitor_report import table

    Console(highlight=False, soft_wrap=True, width=200).print(table(found))


@verb("plot", examples=("ttsops monitor plot trend.svg", "ttsops monitor plot trend.png --engine f5"))
@config_option
@history_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--engine", "--model", "engine", help="Of this engine.  [default: that of the last run]")
@click.option("--last", type=click.IntRange(1), default=100, show_default=True, help="So many runs at most.")
def plot(config: Path | None, history: Path | None, file: Path, engine: str | None, last: int) -> None:
    """Draw the trend into FILE, whose name ends with `.svg` or `.png`.

    The runs on the machine and with the set-up of the last one. PNG needs the extra `plots` (matplotlib).
    """
    from ttsops.audio import write_atomically
    from ttsops.ops.monitor import plot_png, plot_svg

    if file.suffix not in (".svg", ".png"):
        raise InvalidValue(f"cannot draw `{file}`", hint="give a file whose name ends with `.svg` or `.png`")
    runs = [one for one in _read(config, history) if engine in (None, one.subject.engine)]
    same = [one for one in runs if one.subject.key == runs[-1].subject.key][-last:]
    write_atomically(file, plot_svg(same) if file.suffix == ".svg" else plot_png(same))
    say(f"Wrote `{file}`: {len(same)} runs")


def _plan(settings: Settings, given: dict[str, Any]) -> Plan:
    from ttsops.ops.monitor import Plan
    from ttsops.ops.monitor.suite import Suite

    return Plan(
        history=given["history"] or Path(settings.monitor.history),
        suite=Suite(voice=given["voice"], repeats=given["repeats"] or settings.monitor.repeats),
        is_new_baseline=given["new_baseline"],
        with_predictions=not given["no_scores"],
    )


def _run(settings: Settings, plan: Plan, random_weights: Any) -> Run:
    from ttsops.cli.progress import LateProgress
    from ttsops.ops.monitor import run_monitor
    from ttsops.ops.monitor.measure import Take
    from ttsops.ops.monitor.run import prepare_settings

    n_takes = 0

    def on_take(take: Take) -> None:
        nonlocal n_takes
        n_takes += 1
        told = take.error or (f"RTF {take.rtf:.3g}" if take.rtf is not None else "nothing was said")
        progress.update(n_takes, f"{n_takes} takes, {told}")

    def on_load(what: str) -> None:
        progress.update(n_takes, f"loading {what}")

    settings = prepare_settings(settings, random_weights)
    with LateProgress() as progress:
        return asyncio.run(run_monitor(settings, plan, on_take=on_take, on_load=on_load))


def _read(config: Path | None, history: Path | None) -> tuple[Run, ...]:
    from ttsops.ops.monitor import read_history

    path = history or Path(load_settings(config, os.environ).monitor.history)
    found = read_history(path)
    if found.damaged:
        warn(f"`{path}`: {len(found.damaged)} lines cannot be read, the first is line {found.damaged[0]}")
    if not found.runs:
        raise InvalidValue(f"there is no run in `{path}`", hint="`ttsops monitor run` makes one")
    return found.runs


monitor.add_command(run)
monitor.add_command(history)
monitor.add_command(plot)
