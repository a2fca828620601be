"""`ttsops voices`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import config_option, verb
from ttsops.settings import load_settings


@verb(
    "voices", examples=("ttsops voices", "ttsops voices --language en --json", "ttsops voices --engine tone")
)
@config_option
@click.option(
    "--engine", "--model", "engine", help="Of this engine.  [default: the one that speaks by default]"
)
@click.option("--language", help="Only those that speak it: a BCP 47 tag, or its beginning such as `en`.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def voices(config: Path | None, engine: str | None, language: str | None, as_json: bool) -> None:
    """List the voices of an engine. Loads the engine to ask it."""
    from ttsops.engines import registry
    from ttsops.engines.contract import EngineConfig

    settings = load_settings(config, os.environ, {"engine": engine})
    setup = settings.engine_settings(settings.engine)
    loaded = registry.create(
        settings.engine, EngineConfig(device=setup.device, dtype=setup.dtype, options=setup.options)
    )
    try:
        found = [voice for voice in loaded.voices() if _speaks(voice.language, language)]
    finally:
        loaded.shutdown()
    if as_json:
        print_json([asdict(voice) for voice in found])
        return
    for voice in found:
        mark = "*" if voice.id == loaded.card.default_voice else " "
        click.echo(f"{mark} {voice.id:<20} {voice.language:<12} {voice.name}".rstrip())
    say(f"{len(found)} voices of `{settings.engine}`; * is the default")


def _speaks(tag: str, wanted: str | None) -> bool:
    """RFC 4647 basic filtering: `en` finds `en` and `en-GB`, not `enm`."""
    if not wanted:
        return True
    return tag.lower() == wanted.lower() or tag.lower().startswith(wanted.lower() + "-")
