"""`ttsops soak`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.output import EndWith, Exit, complain, print_json, say
from ttsops.cli.verb import config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import load_settings
from ttsops.settings.names import API_KEY

if TYPE_CHECKING:
    import psutil

    from ttsops.ops.loadtest import Plan, Target
    from ttsops.ops.soak import Soak
    from ttsops.ops.soak.processes import Sample

MIB = 2**20


@verb(
    "soak",
    examples=(
        "ttsops soak --duration 300 --rps 2",
        "ttsops soak --engine tone --duration 60 --rps 10 --json",
        "ttsops soak --url http://127.0.0.1:8001 --duration 3600 --rps 0.5",
    ),
)
@config_option
@click.option("--url", help="Of a server on this machine.  [default: one is started for the soak]")
@click.option("--pid", type=click.IntRange(1), help="Its process.  [default: whoever listens there]")
@click.option("--engine", help="Engine of the server that is started.  [default: `engine` of the settings]")
@click.option(
    "--duration",
    type=click.FloatRange(1),
    default=300.0,
    show_default=True,
    help="Seconds in which requests come.",
)
@click.option(
    "--rps",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    help="Requests per second.",
)
@click.option(
    "--max-streams", type=click.IntRange(1), default=64, show_default=True, help="At once, at most."
)
@click.option("--model", default="tts-1", show_default=True, help="As the server names it.")
@click.option("--voice", default="alloy", show_default=True, help="As the server names it.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="KiB per request: what grows by less is called no leak.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same requests.")
@click.option("--api-key", envvar=API_KEY, show_envvar=True, help="Sent as a bearer token.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every sample.")
def soak(config: Path | None, as_json: bool, **given: Any) -> None:
    """Look for a leak: does memory grow with every request?

    Requests come at random times, and the memory of the server and its workers is read meanwhile. The verdict
    is on the slope over requests after a warm-up (Theil-Sen, with a 95 % interval): `leak`, `no leak`, or
    `not enough data`. Ctrl-C ends it early, with the verdict so far.

    Exit code 0 for `no leak`, 1 for the others.
    """
    result = _run(config, given)
    if as_json:
        print_json(_as_dict(result))
    else:
        click.echo("\n".join(_lines(result)))
    if result.verdict.word != "no leak":
        complain(click.ClickException(f"{result.verdict.word}: {result.verdict.reason}"))
        raise EndWith(Exit.FAILED)


def _run(config: Path | None, given: dict[str, Any]) -> Soak:
    from ttsops.cli.progress import LateProgress
    from ttsops.ops.loadtest import new_event_loop
    from ttsops.ops.soak import run_soak

    plan = _plan(given)

    async def main(target: Target, server: psutil.Process) -> Soak:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, stop.set)
        try:
            return await run_soak(
                plan, target, server, tolerance_bytes=given["tolerance"] * 1024, on_sample=show, stop=stop
            )
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def show(sample: Sample) -> None:
        progress.update(sample.at, f"{sample.requests} requests, {sample.total / MIB:.1f} MiB")

    with _server(config, given) as (url, process), LateProgress(plan.duration_seconds) as progress:
        from ttsops.ops.loadtest import Target

        target = Target(
            url=url, model=given["model"], voice=given["voice"], api_key=given["api_key"] or "", format="pcm"
        )
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(main(target, process))


@contextlib.contextmanager
def _server(config: Path | None, given: dict[str, Any]) -> Iterator[tuple[str, psutil.Process]]:
    from ttsops.ops.soak import find_server, local_server

    if given["url"]:
        if given["engine"]:
            raise InvalidValue("`--engine` is for the server that is started; `--url` names one that runs")
        yield given["url"], find_server(given["url"], given["pid"])
        return
    if given["pid"]:
        raise InvalidValue("`--pid` is of a server that runs; say where with `--url`")
    settings = load_settings(config, os.environ, {"engine": given["engine"]})
    options = ["--log-level", "warning"]
    options += ["--config", str(config)] if config else []
    options += ["--engine", given["engine"]] if given["engine"] else []
    say("Starting a server for the soak")
    with local_server(options, settings.runtime.load_seconds) as found:
        yield found


def _plan(given: dict[str, Any]) -> Plan:
    from ttsops.ops.loadtest import Plan

    return Plan(
        duration_seconds=given["duration"],
        rate=given["rps"],
        max_streams=given["max_streams"],
        seed=given["seed"],
    )


def _as_dict(result: Soak) -> dict[str, Any]:
    load = {name: value for name, value in asdict(result.load).items() if name != "per_second"}
    samples = [
        {"seconds": round(one.at, 3), "requests": one.requests, "bytes": one.bytes_by_pid}
        for one in result.samples
    ]
    return {"verdict": asdict(result.verdict), "load": load, "samples": samples}


def _lines(result: Soak) -> Iterator[str]:
    verdict, load = result.verdict, result.load
    errors = "".join(f", {count} {code}" for code, count in load.errors.items())
    yield f"{load.requests} requests in {load.wall_seconds:.0f} s{errors}"
    for one in (verdict.total, *verdict.processes):
        if one is not None:
            slope = one.per_request
            told = f", {slope.value / 1024:.1f} KiB per request" if slope else ""
            yield (
                f"  {one.name}: {one.bytes_at_first / MIB:.1f} MiB after the warm-up, "
                f"{one.bytes_at_last / MIB:.1f} MiB at the end{told}"
            )
    if verdict.restarts:
        yield f"  a process was replaced {verdict.restarts} times; only what came after is judged"
    yield f"verdict: {verdict.word} ({verdict.reason})"
