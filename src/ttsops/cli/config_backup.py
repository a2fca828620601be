"""`ttsops config backup`, `restore` and `diff`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import config_option, verb
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.ops.backup import Difference

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
folder_option = click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("backups"),
    show_default=True,
    help="Folder of the backups; made for its owner only if it is not there.",
)
backup_file = click.Path(path_type=Path, dir_okay=False)


@verb("backup", examples=("ttsops config backup", "ttsops config backup --to /var/backups/ttsops"))
@config_option
@folder_option
def backup(config: Path | None, folder: Path) -> None:
    """Keep the settings file and the folder of voices in one file, named by the time.

    The file has the checksum of everything in it. It may hold secrets, as the settings may.
    """
    from ttsops.ops.backup import keep, state_now

    load_settings(config, os.environ)  # wrong ones do not say which voices are meant
    state = state_now(config, os.environ)
    click.echo(str(keep(state, folder)))
    what = "the settings file" if state.settings is not None else "no settings file: there is none"
    say(
        f"Kept {what}, "
        + (f"{len(state.voices)} voices" if state.voices is not None else "no folder of voices")
    )


@verb("restore", examples=("ttsops config restore backups/ttsops-20261125T031500Z.tar.gz",))
@config_option
@click.argument("file", type=backup_file)
@folder_option
def restore(config: Path | None, file: Path, folder: Path) -> None:
    """Bring settings and voices back from the backup FILE.

    First every checksum is verified and what is there now is kept, in `--to`. Voices that are not in the
    backup are removed. A running server sees the voices at once, and the settings when it is started again.
    """
    from ttsops.ops.backup import restore as bring_back

    kept = bring_back(file, config, os.environ, folder)
    say(f"Brought back `{file}`; what was there before is in `{kept}`")
    say("A running server needs a restart to take the settings")


@verb(
    "diff",
    examples=(
        "ttsops config diff backups/ttsops-20261125T031500Z.tar.gz",
        "ttsops config diff old.tar.gz new.tar.gz --json",
    ),
)
@config_option
@click.argument("old", type=backup_file)
@click.argument("new", type=backup_file, required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def diff(config: Path | None, old: Path, new: Path | None, as_json: bool) -> None:
    """Show what changed since the backup OLD, or from it to the backup NEW.

    Setting by setting and voice by voice. Values that may be secrets are shown as `***`.
    """
    from ttsops.ops.backup import differences, read_backup, state_now

    after = read_backup(new)[1] if new else state_now(config, os.environ)
    found = differences(read_backup(old)[1], after)
    if as_json:
        print_json([asdict(one) for one in found])
    elif found:
        click.echo("\n".join(_lines(found)))
    else:
        say("Nothing is different")


def _lines(found: Sequence[Difference]) -> Iterator[str]:
    for one in found:
        line = f"{SIGNS[one.change]} {one.kind} {one.name}"
        if one.kind == "setting":
            line += f": {_shown(one.old)} → {_shown(one.new)}"
        elif one.new:
            line += f": {', '.join(one.new) if isinstance(one.new, list) else one.new}"
        yield line


def _shown(value: object) -> str:
    return "not set" if value is None else msgspec.json.encode(value).decode()
