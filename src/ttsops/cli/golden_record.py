"""`ttsops golden record`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from ttsops.cli.options import option_values
from ttsops.cli.output import print_json, say, warn
from ttsops.cli.verb import config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.ops.recorded.manifest import Manifest, Take

Function = TypeVar("Function", bound=Callable[..., Any])


def random_weights_option(function: Function) -> Function:
    """`--random-weights small|full`."""
    return click.option(
        "--random-weights",
        type=click.Choice(["small", "full"]),
        help="Without weights: noise of the published model's size, or of a small one's.",
    )(function)


@verb(
    "record",
    examples=(
        "ttsops golden record golden --engine espeak",
        "ttsops golden record /var/lib/ttsops/golden --config prod.toml --replace",
        "ttsops golden record golden --engine f5 --random-weights small",
    ),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@config_option
@click.option(
    "--engine", "engines", multiple=True, help="Engine; may be repeated.  [default: `engine` of the settings]"
)
@click.option(
    "--texts",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A text in each line.  [default: three texts for every purpose]",
)
@click.option("-v", "--voice", default="", help="Voice of every take.  [default: the engine's]")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=option_values,
    help="Option of the engine, in every take; may be repeated.",
)
@random_weights_option
@click.option("--replace", is_flag=True, help="Put it in the place of the recording that is there.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: the manifest.")
def record(
    folder: Path, config: Path | None, engines: tuple[str, ...], texts: Path | None, **given: Any
) -> None:
    """Record how engines speak now.

    Each engine says a few texts with fixed seeds in a fresh process. DIR gets the sound, and of every take
    all parameters that shape it, with their hash; it appears when all of it is there. `ttsops golden check
    DIR` compares with it later: after an upgrade, on another machine.
    """
    from ttsops.observe import logs
    from ttsops.ops.recorded.record import STANDARD_TEXTS, Plan
    from ttsops.ops.recorded.record import record as run

    settings = load_settings(config, os.environ, {"log.level": "warning"})
    logs.configure(settings.log.level, settings.log.format)
    plan = Plan(
        engines=tuple(dict.fromkeys(engines)) or (settings.engine,),
        texts=read_texts(texts) if texts else STANDARD_TEXTS,
        voice=given["voice"],
        options=given["options"],
        random_weights=given["random_weights"] or "",
    )
    is_quiet = given["as_json"]

    def on_take(engine: str, take: Take) -> None:
        if not is_quiet:
            click.echo(f"{engine} {take.id}: {take.facts.seconds:.2f} s, control {take.control_hash}")

    manifest = asyncio.run(run(settings, plan, folder, replace=given["replace"], on_take=on_take))
    for one in manifest.recordings:
        if one.note:
            warn(f"{one.engine}: {one.note}")
    if given["as_json"]:
        print_json(msgspec.to_builtins(manifest))
    say(f"Wrote `{folder}`: {_counted(manifest)}")


def read_texts(path: Path) -> tuple[str, ...]:
    """Lines of the file that are not empty. Raises `InvalidValue`."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InvalidValue(f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"cannot read `{path}`: it is not UTF-8 text") from error
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise InvalidValue(f"there is no text in `{path}`", hint="write a text into each line")
    return found


def _counted(manifest: Manifest) -> str:
    n_takes = sum(len(one.takes) for one in manifest.recordings)
    return f"{n_takes} takes of {', '.join(one.engine for one in manifest.recordings)}"
