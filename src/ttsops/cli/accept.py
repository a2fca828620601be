"""`ttsops accept`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.golden_record import random_weights_option
from ttsops.cli.output import EndWith, Exit, print_json, say, warn
from ttsops.cli.verb import config_option, verb
from ttsops.settings import Settings, load_settings
from ttsops.settings.names import API_KEY

if TYPE_CHECKING:
    from ttsops.ops.accept import EngineResult, GateResult, Plan

MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped", "not_run": "not run"}


@verb(
    "accept",
    examples=(
        "ttsops accept",
        "ttsops accept --engine f5 --config prod.toml --golden golden --junit accept.xml",
        "ttsops accept --url http://10.0.0.7:8001 --engine espeak --json",
    ),
)
@config_option
@click.option(
    "--engine", "engines", multiple=True, help="Engine; may be repeated.  [default: `engine` of the settings]"
)
@click.option("--url", default="", help="A running server.  [default: one is started for each engine]")
@click.option("--golden", default="", help="A recording to compare with.  [default: `accept.golden`]")
@random_weights_option
@click.option("--keep-going", is_flag=True, help="Ask the gates after one that failed, too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML into this file."
)
def accept(
    config: Path | None, engines: tuple[str, ...], as_json: bool, junit: Path | None, **given: Any
) -> None:
    """Ask an engine everything that must be true before it serves.

    One line for each gate, in this order; the first that fails ends it: models complete, golden recording,
    server ready, synthesis, sound, words heard by a recogniser, back-pressure, cancellation, full disk. A
    gate that cannot be asked is skipped, with the reason. Thresholds are `[accept]` of the settings. A
    running server is asked what does it no harm; its API key is taken from TTSOPS_API_KEY.

    Exit code 0 and `acceptance: ok` if nothing failed, 1 if a gate did, 3 if an engine is not installed.
    """
    from ttsops.observe import logs
    from ttsops.ops.accept import accept as run
    from ttsops.ops.accept import junit_xml

    settings = load_settings(config, os.environ, {"log.level": "error"})
    logs.configure(settings.log.level, settings.log.format)
    plan = _plan(settings, engines, given)

    def on_gate(engine: str, gate: GateResult) -> None:
        if not as_json:
            click.echo(f"{engine} {gate.gate:<14} {MARKS[gate.outcome]:<8} {gate.detail}")

    results = run(settings, plan, on_gate=on_gate)
    if junit is not None:
        from ttsops.audio import write_atomically

        write_atomically(junit, junit_xml(results))
        say(f"Wrote `{junit}`")
    if as_json:
        print_json(_facts(results))
    _sum_up(results, as_json)
    if not all(result.is_ok for result in results):
        raise EndWith(Exit.FAILED)


def _plan(settings: Settings, engines: Sequence[str], given: dict[str, Any]) -> Plan:
    from ttsops.ops.accept import Plan

    return Plan(
        engines=tuple(dict.fromkeys(engines)) or (settings.engine,),
        url=given["url"],
        api_key=os.environ.get(API_KEY, ""),
        golden=given["golden"],
        random_weights=given["random_weights"] or "",
        keeps_going=given["keep_going"],
    )


def _sum_up(results: Sequence[EngineResult], as_json: bool) -> None:
    for result in results:
        if result.note:
            warn(f"{result.engine}: {result.note}")
    failed = [
        f"{result.engine} {gate.gate}"
        for result in results
        for gate in result.gates
        if gate.outcome == "failed"
    ]
    is_ok = all(result.is_ok for result in results)
    verdict = (
        "acceptance: ok" if is_ok else f"acceptance: failed ({', '.join(failed) or 'nothing was asked'})"
    )
    click.echo(verdict, err=as_json)


def _facts(results: Sequence[EngineResult]) -> dict[str, Any]:
    from ttsops.ops.machine import machine, versions

    return {
        "version": 1,
        "ok": all(result.is_ok for result in results),
        "machine": machine(),
        "versions": versions(()),
        "engines": [
            {
                "engine": result.engine,
                "ok": result.is_ok,
                "device": result.device,
                "note": result.note,
                "gates": [
                    {
                        "gate": gate.gate,
                        "outcome": gate.outcome,
                        "detail": gate.detail,
                        "seconds": round(gate.seconds, 3),
                        "figures": dict(gate.figures),
                    }
                    for gate in result.gates
                ],
            }
            for result in results
        ],
    }
