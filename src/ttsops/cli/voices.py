"""`ttsops voices`: whom an engine can speak as. What looks after voices is `ttsops voice`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import HELP, VerbGroup, config_option
from ttsops.cli.voice import voice as voice_group
from ttsops.settings import load_settings


class _Listing(VerbGroup):
    """Also knows the verbs of `ttsops voice`, which were here first; its help does not list them twice."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """None."""
        return []

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Those of `ttsops voice`."""
        return voice_group.get_command(ctx, cmd_name)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without an empty list of commands."""
        click.Command.format_options(self, ctx, formatter)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Without `COMMAND`."""
        return click.Command.collect_usage_pieces(self, ctx)


@click.group(
    "voices",
    cls=_Listing,
    examples=("ttsops voices", "ttsops voices --language en --json", "ttsops voices --engine tone"),
    invoke_without_command=True,
    context_settings=HELP,
)
@config_option
@click.option(
    "--engine", "--model", "engine", help="Of this engine.  [default: the one that speaks by default]"
)
@click.option("--language", help="Only those that speak it: a BCP 47 tag, or its beginning such as `en`.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def voices(
    context: click.Context, config: Path | None, engine: str | None, language: str | None, as_json: bool
) -> None:
    """List the voices of an engine. Loads the engine to ask it.

    To import voices and look after them see `ttsops voice`, whose verbs may also be written after `voices`.
    """
    if context.invoked_subcommand is None:
        _list(config, engine, language, as_json)


def _list(config: Path | None, engine: str | None, language: str | None, as_json: bool) -> None:
    from ttsops.engines import registry
    from ttsops.engines.contract import EngineConfig
    from ttsops.runtime.references import with_library

    settings = load_settings(config, os.environ, {"engine": engine})
    setup = with_library(settings, settings.engine)
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
