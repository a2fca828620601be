"""`ttsops health`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.output import EndWith, Exit, print_json
from ttsops.cli.verb import config_option, verb
from ttsops.errors import ConfigError
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.ops.checkup import Check
    from ttsops.ops.health import ServerHealth

MARKS = {"ok": "ok", "unknown": "?", "warning": "warning", "bad": "BAD"}


@verb(
    "health",
    examples=(
        "ttsops health",
        "ttsops health --json",
        "ttsops health --url http://10.0.0.7:8001",
    ),
)
@config_option
@click.option("--url", help="Ask only this server, and look at nothing here.")
@click.option("--timeout", default=5.0, show_default=True, help="Seconds to wait for an answer.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def health(config: Path | None, url: str | None, timeout: float, as_json: bool) -> None:
    """Tell how this machine and its server are.

    Settings, engines, weights, voices, disk, memory, device with clocks and power mode, the last monitor run,
    and the server where `ttsops serve` listens by the settings. With `--url` only that server is asked.

    Exit code 0 if all is well or needs only a look, 1 if something is bad or the server answers and would not
    speak, 3 if all that is wrong is that no server answers.
    """
    from ttsops.ops.health import ask_health

    if url:
        answer = ask_health(url, timeout)
        if as_json:
            print_json(asdict(answer))
        else:
            click.echo("\n".join(server_lines(answer)))
        _end(answer, is_bad=False)
        return
    from ttsops.ops.checkup import check_all, worst

    checks = check_all(config, os.environ)
    answer = ask_health(own_url(config), timeout)
    if as_json:
        told = [asdict(one) for one in checks]
        print_json({"word": worst(checks), "checks": told, "server": asdict(answer)})
    else:
        click.echo("\n".join([*check_lines(checks), *server_lines(answer)]))
    _end(answer, is_bad=worst(checks) == "bad")


def own_url(config: Path | None) -> str:
    """Where a server is reached by the settings; by the defaults if they are wrong."""
    try:
        return server_url(load_settings(config, os.environ))
    except ConfigError:  # told by the first check
        return server_url(Settings())


def _end(answer: ServerHealth, *, is_bad: bool) -> None:
    if is_bad or (answer.is_up and not answer.is_ready):
        raise EndWith(Exit.FAILED)
    if not answer.is_up:
        raise EndWith(Exit.UNAVAILABLE)


def check_lines(checks: Sequence[Check]) -> Iterator[str]:
    """A line for each, and one below it with what to do."""
    width = max(len(one.name) for one in checks)
    for one in checks:
        yield f"{MARKS[one.word]:<8}{one.name:<{width}}  {one.told}"
        if one.hint and one.word != "ok":
            yield f"{'':<{8 + width}}  → {one.hint}"


def server_url(settings: Settings) -> str:
    """Where a server with these settings is reached from its own machine."""
    host = settings.server.host
    if host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def server_lines(answer: ServerHealth) -> Iterator[str]:
    """What a server said of itself."""
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
