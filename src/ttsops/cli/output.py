"""What the command line says, where it says it, and with which exit code it ends.

stdout is data: audio, JSON, tables, pages. Everything else goes to stderr. This is the only place that maps
errors to exit codes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum

import click
import msgspec

from ttsops.errors import (
    AudioError,
    CapacityError,
    EngineError,
    ModelError,
    NoAudio,
    NotInstalled,
    TtsOpsError,
)
from ttsops.ops.service.failures import NoServiceManager, ServiceError
from ttsops.settings.names import DEBUG

_QUIET = "ttsops.quiet"


class Exit(IntEnum):
    """How a command ends."""

    OK = 0
    FAILED = 1
    """A check failed, or the work could not be done: a file that cannot be written, a bug."""
    USAGE = 2
    """The command, its options, its input or the settings are wrong."""
    UNAVAILABLE = 3
    """The engine or the server is down, full, or something needed is not installed."""
    INTERRUPTED = 130
    """Ctrl-C."""


def exit_code(error: BaseException) -> Exit:
    """The one mapping."""
    match error:
        case KeyboardInterrupt() | click.Abort():
            return Exit.INTERRUPTED
        case NoAudio():
            return Exit.USAGE  # there is nothing in the text that can be spoken
        case EngineError() | CapacityError() | NotInstalled() | NoServiceManager():
            return Exit.UNAVAILABLE
        case AudioError() | ModelError() | ServiceError():
            return Exit.FAILED
        case TtsOpsError() | click.UsageError():
            return Exit.USAGE
        case _:
            return Exit.FAILED


class EndWith(Exception):
    """End with this code; everything there is to say has been said."""

    def __init__(self, code: Exit) -> None:
        super().__init__(code)
        self.code = code


def run(command: Callable[[], object]) -> int:
    """Run a command to its exit code; what goes wrong is told on stderr."""
    try:
        result = command()
    except EndWith as end:
        return end.code
    except BrokenPipeError:
        # The reader of stdout left (`ttsops … | head`). Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except (Exception, KeyboardInterrupt) as error:
        complain(error)
        return exit_code(error)
    return result if isinstance(result, int) else Exit.OK


def be_quiet(context: click.Context) -> None:
    """From now on `say` says nothing in this command."""
    context.meta[_QUIET] = True


def is_quiet() -> bool:
    """Whether `--quiet` was given."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def say(message: str) -> None:
    """A line on stderr, unless `--quiet`."""
    if not is_quiet():
        click.echo(message, err=True)


def warn(message: str) -> None:
    """A warning on stderr, also with `--quiet`."""
    click.echo(f"{_styled('warning:', 'yellow')} {message}", err=True)


def complain(error: BaseException) -> None:
    """The error on stderr, and below it what to do next."""
    message, hint = _told(error)
    click.echo(f"{_styled('error:', 'red')} {message}", err=True)
    if hint:
        click.echo(f"\n{_styled('hint:', 'cyan')} {hint}", err=True)


def print_json(value: object, *, err: bool = False) -> None:
    """Indented JSON on stdout, or on stderr where stdout carries something else."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2), err=err)


def has_colour(env: Mapping[str, str] = os.environ) -> bool:
    """Whether stderr may be coloured: https://no-color.org."""
    return sys.stderr.isatty() and not env.get("NO_COLOR")


def _told(error: BaseException) -> tuple[str, str | None]:
    match error:
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", None
        case TtsOpsError():
            return error.message, error.hint
        case click.UsageError():
            # The parser of click raises some errors without their context.
            hint = f"`{error.ctx.command_path if error.ctx else 'ttsops'} --help` shows how"
            return error.format_message().rstrip("."), hint
        case click.ClickException():
            return error.format_message().rstrip("."), None
        case _:
            return f"{type(error).__name__}: {error}", f"this is a bug; `{DEBUG}=1` shows where"


def _styled(word: str, colour: str) -> str:
    return click.style(word, fg=colour, bold=True) if has_colour() else word
