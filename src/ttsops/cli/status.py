"""`ttsops status`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.health import check_lines, server_lines, server_url
from ttsops.cli.output import print_json
from ttsops.cli.verb import config_option, verb
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.ops.checkup import Check
    from ttsops.ops.health import ServerHealth


@verb("status", examples=("ttsops status", "ttsops status --url http://127.0.0.1:8001 --json"))
@config_option
@click.option("--url", help="Of the server.  [default: where `ttsops serve` listens by the settings]")
@click.option("--timeout", default=5.0, show_default=True, help="Seconds to wait for an answer.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(config: Path | None, url: str | None, timeout: float, as_json: bool) -> None:
    """Show what is going on, on one screen.

    The server with its live streams and its queue, and of this machine what is not well, with the last
    monitor run. It does not judge: the exit code is 0 whatever it found; `ttsops health` is for probes.
    """
    from ttsops.ops.checkup import check_all
    from ttsops.ops.health import ask_health

    answer = ask_health(url or server_url(load_settings(config, os.environ)), timeout)
    checks = check_all(config, os.environ)
    streams = totals(answer.body)
    if as_json:
        told = [asdict(one) for one in checks]
        print_json({"server": asdict(answer), "streams": streams, "checks": told})
        return
    click.echo("\n".join(_lines(answer, streams, checks)))


def totals(body: Mapping[str, Any]) -> dict[str, int]:
    """Streams of all engines of a server, from what `GET /health` said."""
    engines = list(body.get("engines", {}).values())
    return {name: sum(int(one[name]) for one in engines) for name in ("live", "capacity", "queued")}


def _lines(answer: ServerHealth, streams: Mapping[str, int], checks: Sequence[Check]) -> Iterator[str]:
    yield from server_lines(answer)
    if answer.is_up:
        yield f"streams: {streams['live']} live of {streams['capacity']}, {streams['queued']} queued"
    shown = [one for one in checks if one.word in ("warning", "bad") or one.name == "monitor"]
    well = len(checks) - len(shown)
    yield ""
    yield from check_lines(shown)
    yield f"{well} other checks of this machine raise no concern; `ttsops health` lists them"
