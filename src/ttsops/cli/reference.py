"""Writes `docs/reference`: every page that is made from the code. `make docs` runs it, a test compares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import click

from ttsops.cli.app import app
from ttsops.cli.output import Exit
from ttsops.engines.reference import engines_page
from ttsops.observe.reference import logs_page, metrics_page
from ttsops.settings.reference import settings_page

WIDTH = 100
EXIT_CODES = MappingProxyType(
    {
        Exit.OK: "done",
        Exit.FAILED: "a check failed, or the work could not be done (a file that cannot be written, a bug)",
        Exit.USAGE: "the command, its options, its input or the settings are wrong",
        Exit.UNAVAILABLE: "the engine or the server is down, full, or not installed",
        Exit.INTERRUPTED: "Ctrl-C",
    }
)


def cli_page() -> str:
    """`docs/reference/cli.md`."""
    codes = "\n".join(f"| {code.value} | {meaning} |" for code, meaning in EXIT_CODES.items())
    sections = [f"## `{path}`\n\n```\n{text}\n```\n" for path, text in _helps(app, "ttsops", None)]
    return _HEAD.format(codes=codes) + "\n" + "\n".join(sections)


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    # A fixed width: the page must not depend on the terminal of whoever writes it.
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            below = command.get_command(context, verb)
            assert below is not None
            yield from _helps(below, verb, context)


PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "cli.md": cli_page,
        "engines.md": engines_page,
        "logs.md": logs_page,
        "metrics.md": metrics_page,
        "settings.md": settings_page,
    }
)

_HEAD = """\
# Command line

One command, `ttsops`, also installed as `vvctl`. stdout is data (audio, JSON, tables); everything else goes
to stderr, in colour only on a terminal and never with `NO_COLOR`. `--quiet` leaves warnings and errors.

| exit code | meaning |
| --- | --- |
{codes}

This page is written from the command itself by `make docs`.
"""


def main(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
