"""`ttsops health`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.output import EndWith, Exit, print_json
from ttsops.cli.verb import config_option, verb
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.ops.health import ServerHealth


@verb("health", examples=("ttsops health", "ttsops health --url http://10.0.0.7:8001 --json"))
@config_option
@click.option("--url", help="Of the server.  [default: where `ttsops serve` listens by the settings]")
@click.option("--timeout", default=5.0, show_default=True, help="Seconds to wait for an answer.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def health(config: Path | None, url: str | None, timeout: float, as_json: bool) -> None:
    """Ask a running server how it is.

    Exit code 0 if it would speak, 1 if it answers and would not, 3 if it does not answer.
    """
    from ttsops.ops.health import ask_health

    answer = ask_health(url or server_url(load_settings(config, os.environ)), timeout)
    if as_json:
        print_json(asdict(answer))
    else:
        click.echo("\n".join(_lines(answer)))
    if not answer.is_ready:
        raise EndWith(Exit.FAILED if answer.is_up else Exit.UNAVAILABLE)


def server_url(settings: Settings) -> str:
    """Where a server with these settings is reached from its own machine."""
    host = settings.server.host
    if host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def _lines(answer: ServerHealth) -> Iterator[str]:
    if not answer.is_up:
        yield f"{answer.url} is down: {answer.status}"
        return
    uptime = answer.body.get("uptime_seconds")
    facts = [f"version {answer.body['version']}"] if "version" in answer.body else []
    facts += [f"up for {_duration(uptime)}"] if uptime is not None else []
    yield " ".join([f"{answer.url} is {answer.status}", *([f"({', '.join(facts)})"] if facts else [])])
    for name, engine in answer.body.get("engines", {}).items():
        yield f"  {name}: {_engine(engine)}"
    recent = answer.body.get("recent")
    if recent and recent["utterances"]:
        yield f"  last {_duration(recent['window_seconds'])}: {_recent(recent)}"


def _engine(engine: Mapping[str, Any]) -> str:
    text = (
        f"{engine['state']}, {engine['live']} of {engine['capacity']} streams live, {engine['queued']} queued"
    )
    error = engine.get("error")
    return f"{text}; last error: {error['message']}" if error else text


def _recent(recent: Mapping[str, Any]) -> str:
    parts = [f"{recent['utterances']} utterances"]
    if recent["success_rate"] is not None:
        parts.append(f"{100 * recent['success_rate']:.1f} % success")
    if recent["first_chunk_seconds"]["p50"] is not None:
        first = recent["first_chunk_seconds"]
        parts.append(f"first audio {1000 * first['p50']:.0f} ms (p95 {1000 * first['p95']:.0f} ms)")
    if recent["rtf"]["p50"] is not None:
        parts.append(f"RTF {recent['rtf']['p50']:.3g} (p95 {recent['rtf']['p95']:.3g})")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"
