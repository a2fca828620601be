"""`ttsops version`."""

from __future__ import annotations

import platform

import click
import msgspec

import ttsops
from ttsops.cli.verb import verb


@verb("version", examples=("ttsops version", "ttsops version --json"))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def version(as_json: bool) -> None:
    """Show which tts-ops this is."""
    if as_json:
        facts = {"version": ttsops.__version__, "python": platform.python_version()}
        click.echo(msgspec.json.encode(facts))
    else:
        click.echo(f"ttsops {ttsops.__version__}")
