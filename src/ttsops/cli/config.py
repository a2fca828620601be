"""`ttsops config`: check the settings, show those in force, print their reference; backups."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
import msgspec

from ttsops.cli.config_backup import backup, diff, restore
from ttsops.cli.output import EndWith, Exit, complain, print_json, say
from ttsops.cli.verb import HELP, config_option, verb
from ttsops.errors import ConfigError, EngineUnavailable, UnknownEngine
from ttsops.settings import Loaded, load_with_places
from ttsops.settings.addresses import without_credentials
from ttsops.settings.fields import flatten

_SECRET = re.compile(r"secret|token|password|api_?key", re.IGNORECASE)
_DEFAULT = "default"


@click.group(context_settings=HELP)
def config() -> None:
    """Check, show and keep the settings."""


@verb("check", examples=("ttsops config check", "ttsops config check prod.toml"))
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def check(file: Path | None) -> None:
    """Check the settings.

    Those of FILE, or of the file in force, and of the environment.

    Says everything that is wrong, and on which line. Exit code 1 if anything is.
    """
    try:
        loaded = load_with_places(file, os.environ)
        _check_engines(loaded)
    except (ConfigError, EngineUnavailable) as error:
        complain(error)
        raise EndWith(Exit.FAILED) from None
    where = f"`{loaded.file}`" if loaded.file else "no settings file"
    n_env = sum(place.startswith("environment") for place in loaded.places.values())
    say(f"Settings are good: {where}, {n_env} values from the environment")


@verb("show", examples=("ttsops config show", "ttsops config show --config prod.toml --json"))
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, without where each value is from.")
def show(config: Path | None, as_json: bool) -> None:
    """Show the settings in force.

    Each with where it is from. Options of an engine whose name looks like a secret are shown as `***`, and so
    are a name and a password in an address.
    """
    loaded = load_with_places(config, os.environ)
    values = _shown_values(loaded)
    if as_json:
        print_json({".".join(key): value for key, value in values.items()})
        return
    width = max(len(".".join(key)) for key in values)
    for key, value in values.items():
        place = loaded.places.get(key, _DEFAULT)
        click.echo(f"{'.'.join(key):<{width}}  {_as_toml(value):<24}  # {place}")


@verb("reference", examples=("ttsops config reference > settings.md",))
def reference() -> None:
    """Print the reference of all settings."""
    from ttsops.settings.reference import settings_page

    click.echo(settings_page(), nl=False)


def _check_engines(loaded: Loaded) -> None:
    """What only the engines' cards tell: names that no engine has, options that it does not take.

    Raises `ConfigError`, and `EngineUnavailable` for a plugin that is broken.
    """
    from ttsops.engines import registry

    for name in loaded.settings.served_engines:
        try:
            accepted = [option.name for option in registry.card(name).setup]
        except UnknownEngine as error:
            raise ConfigError(f"{_place_of(name, loaded)}: {error.message}", hint=error.hint) from error
        for option in loaded.settings.engine_settings(name).options:
            if option not in accepted:
                place = loaded.places["engines", name, "options", option]
                raise ConfigError(
                    f"{place}: engine `{name}` has no option `{option}`",
                    hint=f"`ttsops engines {name}` lists them",
                )


def _place_of(engine: str, loaded: Loaded) -> str:
    """Where an engine is named."""
    for key, place in loaded.places.items():
        value = flatten(loaded.settings).get(key)
        if value == engine or key[:2] == ("engines", engine):
            return place
    return f"`[engines.{engine}]`"  # a table that says nothing


def _shown_values(loaded: Loaded) -> dict[tuple[str, ...], object]:
    return {key: _shown(key, value) for key, value in flatten(loaded.settings).items()}


def _shown(key: tuple[str, ...], value: object) -> object:
    if key[0] == "engines" and _SECRET.search(key[-1]):
        return "***"
    return without_credentials(value) if isinstance(value, str) else value


def _as_toml(value: object) -> str:
    """TOML writes what the tree holds as JSON does; it has no word for what is not set."""
    return "not set" if value is None else msgspec.json.encode(value).decode()


config.add_command(check)
config.add_command(show)
config.add_command(reference)
config.add_command(backup)
config.add_command(restore)
config.add_command(diff)
