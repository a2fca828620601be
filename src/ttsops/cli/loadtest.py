"""`ttsops loadtest`."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.health import server_url
from ttsops.cli.output import EndWith, Exit, complain, print_json
from ttsops.cli.verb import config_option, verb
from ttsops.errors import EngineUnavailable, InvalidValue
from ttsops.settings import load_settings
from ttsops.settings.names import API_KEY

if TYPE_CHECKING:
    from ttsops.ops.loadtest import Listening, Plan, Report, Target


@verb(
    "loadtest",
    examples=(
        "ttsops loadtest --rate 5 --duration 30",
        "ttsops loadtest --streams 200 --real-time --duration 60 --max-underruns 0 --max-errors 0",
        "ttsops loadtest --url http://10.0.0.7:8000 --model tts-1 --voice alloy --rate 2 --json",
    ),
)
@config_option
@click.option("--url", help="Of the server.  [default: where `ttsops serve` listens by the settings]")
@click.option("--rate", type=float, help="Open loop: arrivals per second, on average.  [default: 2]")
@click.option("--streams", type=int, help="Closed loop instead: so many listeners at all times.")
@click.option("--duration", default=10.0, show_default=True, help="Seconds in which listeners come.")
@click.option(
    "--max-streams", type=int, help="Open loop: at once, at most; others wait, and their wait counts."
)
@click.option("--model", default="tts-1", show_default=True, help="As the server names it.")
@click.option("--voice", default="alloy", show_default=True, help="As the server names it.")
@click.option(
    "--format", type=click.Choice(["wav", "pcm"]), default="wav", show_default=True, help="Of the answer."
)
@click.option(
    "--texts", type=click.Path(path_type=Path), help="File with a text per line.  [default: built in]"
)
@click.option("--real-time", is_flag=True, help="Read no faster than a player plays.")
@click.option("--seed", default=0, show_default=True, help="The same seed, the same arrivals and texts.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds for a whole answer.")
@click.option("--api-key", envvar=API_KEY, show_envvar=True, help="Sent as a bearer token.")
@click.option("--max-ttfb-p99", type=float, help="Fail if the first audio byte takes more seconds at p99.")
@click.option("--max-ttfa-p99", type=float, help="Fail if the first audible sample does.")
@click.option("--max-underruns", type=int, help="Fail if players stall more often.")
@click.option("--max-errors", type=int, help="Fail if more requests end with an error.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def loadtest(config: Path | None, url: str | None, as_json: bool, **options: Any) -> None:
    """Measure a server under listeners.

    Any server with OpenAI's `POST /v1/audio/speech`. Listeners come at random times whether or not the server
    keeps up, and latencies count from when they came. Measured: time to the first audio byte (TTFB) and to
    the first audible sample (TTFA), real-time factor, stalls of a simulated player, errors. Ctrl-C ends
    the test early, with the figures so far.

    Exit code 1 if a `--max-…` limit was not kept, 3 if nobody answered.
    """
    from ttsops.ops.loadtest import Limits, broken_limits

    address = url or server_url(load_settings(config, os.environ))
    target, plan = _target(address, options), _plan(options)
    report = _run(plan, target)
    limits = Limits(
        ttfb_p99=options["max_ttfb_p99"],
        ttfa_p99=options["max_ttfa_p99"],
        underruns=options["max_underruns"],
        errors=options["max_errors"],
    )
    broken = broken_limits(report, limits)
    if as_json:
        asked = asdict(target) | asdict(plan) | {"texts": len(plan.texts), "api_key": bool(target.api_key)}
        print_json({"asked": asked, "limits": asdict(limits), "broken_limits": broken} | asdict(report))
    else:
        _print(report)
    if report.requests and set(report.errors) == {"connection_failed"} and not report.ok:
        raise EngineUnavailable(f"no server answers at {address}", hint="start one with `ttsops serve`")
    for sentence in broken:
        complain(click.ClickException(sentence))
    if broken:
        raise EndWith(Exit.FAILED)


def _target(url: str, options: dict[str, Any]) -> Target:
    from ttsops.ops.loadtest import Target

    return Target(
        url=url,
        model=options["model"],
        voice=options["voice"],
        format=options["format"],
        api_key=options["api_key"] or "",
        timeout_seconds=options["timeout"],
        is_real_time=options["real_time"],
    )


def _plan(options: dict[str, Any]) -> Plan:
    from ttsops.ops.loadtest import TEXTS, Plan, read_corpus

    rate, n_listeners = options["rate"], options["streams"]
    if n_listeners and options["max_streams"]:
        raise InvalidValue("`--max-streams` is for the open loop; `--streams` says how many there are")
    return Plan(
        duration_seconds=options["duration"],
        rate=2.0 if rate is None and n_listeners is None else rate,
        n_listeners=n_listeners,
        max_streams=options["max_streams"],
        seed=options["seed"],
        texts=read_corpus(options["texts"]) if options["texts"] else TEXTS,
    )


def _run(plan: Plan, target: Target) -> Report:
    from ttsops.cli.progress import LateProgress
    from ttsops.ops.loadtest import measure, new_event_loop

    n_ended = n_errors = 0

    async def main() -> Report:
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGINT, stop.set)

        def on_result(result: Listening) -> None:
            nonlocal n_ended, n_errors
            n_ended += 1
            n_errors += bool(result.error)
            progress.update(loop.time() - started_at, f"{n_ended} heard, {n_errors} errors")

        try:
            return await measure(plan, target, on_result=on_result, stop=stop)
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    with (
        LateProgress(plan.duration_seconds) as progress,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        return runner.run(main())


def _print(report: Report) -> None:
    from rich.console import Console

    from ttsops.cli.loadtest_report import render

    console = Console(highlight=False, soft_wrap=True)
    console.print(render(report))
