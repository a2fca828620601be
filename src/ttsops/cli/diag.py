"""`ttsops diag`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from ttsops.cli.health import own_url
from ttsops.cli.output import say
from ttsops.cli.verb import config_option, verb


@verb(
    "diag",
    examples=("ttsops diag", "ttsops diag --log /var/log/ttsops.jsonl --out support.tar.gz"),
)
@config_option
@click.option("--url", help="Of the server.  [default: where `ttsops serve` listens by the settings]")
@click.option(
    "--log", type=click.Path(path_type=Path, dir_okay=False), help="Log of the server: JSON, a line each."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [default: ttsops-diag-TIME.tar.gz here]",
)
def diag(config: Path | None, url: str | None, log: Path | None, out: Path | None) -> None:
    """Write a support bundle, without secrets and without what was spoken.

    Versions, settings, environment, health, machine, the last monitor runs, and the end of the log. Keys,
    tokens and passwords are shown as `***`; of the log only fields that hold no text are kept.
    """
    from ttsops.audio import write_atomically
    from ttsops.ops.diag import Sources, make_bundle
    from ttsops.ops.health import ask_health

    server = ask_health(url or own_url(config))
    bundle, names = make_bundle(Sources(config, os.environ, server, log))
    target = out or Path(time.strftime("ttsops-diag-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime()))
    write_atomically(target, bundle)
    click.echo(str(target))
    say(f"{len(names)} files, {len(bundle) / 1024:.0f} KiB: {', '.join(names)}")
    say("Look through it before you hand it on")
