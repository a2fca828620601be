"""The command and its verbs. A verb's module is imported when it is called, or listed."""

from __future__ import annotations

import importlib
from typing import Any, cast

import click

from ttsops.cli.verb import HELP

VERBS = {
    "say": "ttsops.cli.say:say",
    "synth": "ttsops.cli.say:synth",
    "render": "ttsops.cli.render:render",
    "batch": "ttsops.cli.batch:batch",
    "serve": "ttsops.cli.serve:serve",
    "agent": "ttsops.cli.agent:agent",
    "cluster": "ttsops.cli.cluster:cluster",
    "service": "ttsops.cli.service:service",
    "voices": "ttsops.cli.voices:voices",
    "voice": "ttsops.cli.voice:voice",
    "engines": "ttsops.cli.engines:engines",
    "models": "ttsops.cli.models:models",
    "verify-cache": "ttsops.cli.models:verify_cache",
    "health": "ttsops.cli.health:health",
    "loadtest": "ttsops.cli.loadtest:loadtest",
    "bench": "ttsops.cli.bench:bench",
    "golden": "ttsops.cli.golden:golden",
    "export": "ttsops.cli.export:export",
    "accept": "ttsops.cli.accept:accept",
    "warmup": "ttsops.cli.warmup:warmup",
    "quality": "ttsops.cli.quality:quality",
    "monitor": "ttsops.cli.monitor:monitor",
    "soak": "ttsops.cli.soak:soak",
    "status": "ttsops.cli.status:status",
    "diag": "ttsops.cli.diag:diag",
    "config": "ttsops.cli.config:config",
    "keys": "ttsops.cli.keys:keys",
    "version": "ttsops.cli.version:version",
}
"""Name → `module:attribute`, in the order of the help."""


class App(click.Group):
    """Looks a verb up when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of `VERBS`."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports its module."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))


def _show_version(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        import ttsops

        click.echo(f"ttsops {ttsops.__version__}")
        context.exit()


@click.group(
    cls=App,
    invoke_without_command=True,
    context_settings={**HELP, "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a check failed or the work could not be done, 2 wrong usage or settings, "
    "3 the engine or server is unavailable, 130 interrupted.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show which."
)
@click.pass_context
def app(context: click.Context) -> None:
    """Speech from text, by hand: speak, serve, look after a server."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
