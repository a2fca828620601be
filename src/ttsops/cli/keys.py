"""`ttsops keys`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ttsops.cli.output import print_json, say
from ttsops.cli.verb import HELP, config_option, verb
from ttsops.errors import ConfigError
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.server.keys import KeyStore


@click.group(context_settings=HELP)
def keys() -> None:
    """Manage the API keys that a server asks for."""


def _file_option(function: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of hashed keys.  [default: `server.keys_file` of the settings]",
    )
    return config_option(option(function))


@verb(
    "add",
    examples=("ttsops keys add website", "ttsops keys add demo --max-concurrency 2 --rate-per-minute 30"),
)
@click.argument("name")
@click.option("--max-concurrency", type=click.IntRange(1), help="Utterances at once, at most.")
@click.option(
    "--rate-per-minute", type=click.FloatRange(0, min_open=True), help="Utterances a minute, at most."
)
@_file_option
def add(
    name: str,
    max_concurrency: int | None,
    rate_per_minute: float | None,
    file: Path | None,
    config: Path | None,
) -> None:
    """Make a key for NAME and print it. It is shown this once and stored nowhere.

    A running server takes it within a second.
    """
    store = _store(file, config)
    secret = store.add(name, max_concurrency=max_concurrency, rate_per_minute=rate_per_minute)
    click.echo(secret)
    say(f"Added `{name}` to `{store.path}`; keep the key, it cannot be shown again")


@verb("list", examples=("ttsops keys list", "ttsops keys list --json"))
@_file_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(file: Path | None, config: Path | None, as_json: bool) -> None:
    """List who has a key, since when, and the limits. The keys themselves are not known."""
    found = _store(file, config).list()
    if as_json:
        facts = [msgspec.structs.asdict(key) for key in found]
        print_json([{name: value for name, value in one.items() if name != "sha256"} for one in facts])
        return
    for key in found:
        since = time.strftime("%Y-%m-%d", time.localtime(key.created_at))
        at_once = key.max_concurrency or "any number"
        per_minute = "any number" if key.rate_per_minute is None else f"{key.rate_per_minute:g}"
        click.echo(f"{key.name:<24} since {since}, {at_once} at once, {per_minute} a minute")


@verb("remove", examples=("ttsops keys remove website",))
@click.argument("name")
@_file_option
def remove(name: str, file: Path | None, config: Path | None) -> None:
    """Take NAME's key away. A running server refuses it within a second."""
    store = _store(file, config)
    store.remove(name)
    say(f"Removed `{name}` from `{store.path}`")


def _store(file: Path | None, config: Path | None) -> KeyStore:
    from ttsops.server.keys import KeyStore

    path = file or load_settings(config, os.environ).server.keys_file
    if not path:
        raise ConfigError("there is no key file", hint="give `--file keys.json`, or set `server.keys_file`")
    return KeyStore(path)


for _command in (add, list_, remove):
    keys.add_command(_command)
