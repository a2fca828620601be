"""What every verb of the command line has: examples in its help, `--quiet`, `--debug`."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ttsops.cli.output import EndWith, be_quiet
from ttsops.settings.names import DEBUG

Function = TypeVar("Function", bound=Callable[..., Any])

_DEBUG = "ttsops.debug"
_SHOWN = "ttsops.shown"

HELP = {"help_option_names": ["-h", "--help"]}
"""Context settings of every command. Not left to the parent: click keeps the first answer it gets."""


class Verb(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params += [
            click.Option(
                ["-q", "--quiet"],
                is_flag=True,
                expose_value=False,
                callback=_set_quiet,
                help="Say nothing on stderr but warnings and errors.",
            ),
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                callback=_set_debug,
                help="Show the traceback of an error.",
            ),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; with `--debug` or TTSOPS_DEBUG an error shows where it was raised."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, EndWith):
            raise
        except BaseException as error:
            is_wanted = ctx.meta.get(_DEBUG) or os.environ.get(DEBUG)
            if is_wanted and ctx.meta.get(_SHOWN) is not error:  # the group of a verb sees it, too
                traceback.print_exc()
                ctx.meta[_SHOWN] = error
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, one to a line, never wrapped: they are there to be copied."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {example}\n" for example in self.examples))


class VerbGroup(Verb, click.Group):
    """A verb with verbs below it: what it does alone, it does when none of them is named."""


def verb(name: str, *, examples: Sequence[str]) -> Callable[[Callable[..., Any]], Verb]:
    """Make a function a verb; its docstring is the help, the first sentence its summary."""
    return click.command(name, cls=Verb, examples=examples, context_settings=HELP)


def config_option(function: Function) -> Function:
    """`--config FILE`."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file.  [default: TTSOPS_CONFIG, else ttsops.toml if it is here]",
    )(function)


def log_options(function: Function) -> Function:
    """`--log-level` and `--log-format` of what runs until it is stopped."""
    function = click.option(
        "--log-format", type=click.Choice(["auto", "json", "console"]), help="Of log lines, on stderr."
    )(function)
    return click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        help="Least level that is written.",
    )(function)


def _set_quiet(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        be_quiet(context)


def _set_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    context.meta[_DEBUG] = value
