"""From file, environment and command line to one checked tree.

A later source wins: defaults, file, environment, command line. Everything that is wrong is told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from ttsops.errors import ConfigError
from ttsops.settings.addresses import without_credentials
from ttsops.settings.fields import convert, find_setting
from ttsops.settings.names import CONFIG_FILE
from ttsops.settings.sources import (
    Entry,
    Problem,
    Source,
    read_environment,
    read_file,
    read_overrides,
    with_default_engine,
)
from ttsops.settings.toml_lines import KeyPath
from ttsops.settings.tree import Settings

DEFAULT_FILE = Path("ttsops.toml")
"""Read from the working directory where no other file is named, if it is there."""

NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Loaded:
    """The tree, and where it is from."""

    settings: Settings
    file: Path | None
    """The settings file that was read."""

    places: Mapping[KeyPath, str]
    """Key → place, for every value that is not a default."""


def load_settings(
    path: Path | None, env: Mapping[str, str], overrides: Mapping[str, object] = NO_OVERRIDES
) -> Settings:
    """The settings tree. Raises `ConfigError` with everything that is wrong, and where.

    `path` is the file the user named; without one, `TTSOPS_CONFIG` or `./ttsops.toml`. `overrides` are dotted
    keys of the command line (`server.port`); those that are None were not given.
    """
    return load_with_places(path, env, overrides).settings


def load_with_places(
    path: Path | None, env: Mapping[str, str], overrides: Mapping[str, object] = NO_OVERRIDES
) -> Loaded:
    """As `load_settings`, for those who show where each value is from."""
    file = _find_file(path, env)
    in_file = read_file(file) if file else Source()
    in_env = read_environment(env)
    on_command_line = read_overrides(overrides)
    sources = (in_file, in_env, on_command_line)
    engines = [source.entries["engine",].value for source in sources if ("engine",) in source.entries]
    default_engine = str(engines[-1]).strip() if engines else Settings().engine
    in_env.entries = with_default_engine(in_env.entries, default_engine)
    problems = [problem for source in sources for problem in source.problems]
    entries = in_file.entries | in_env.entries | on_command_line.entries
    values = _convert_all(entries, problems)
    if problems:
        raise _error(sorted(problems, key=lambda problem: (problem.line == 0, problem.line)))
    mentioned = [name for source in sources for name in source.engines]
    return Loaded(_build(values, mentioned), file, {key: entry.place for key, entry in entries.items()})


def _find_file(path: Path | None, env: Mapping[str, str]) -> Path | None:
    if path or env.get(CONFIG_FILE):
        return path or Path(env[CONFIG_FILE])
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def _convert_all(entries: Mapping[KeyPath, Entry], problems: list[Problem]) -> dict[KeyPath, object]:
    values: dict[KeyPath, object] = {}
    for key, entry in entries.items():
        setting = find_setting(key)
        if setting is None:
            raise KeyError(f"no setting {'.'.join(key)}")  # a mistake of ours: only overrides get here
        try:
            values[key] = convert(setting, entry.value, from_text=entry.is_text)
        except msgspec.ValidationError:
            dotted = ".".join(key)
            if entry.is_text:
                text = without_credentials(str(entry.value))
                message = f"{entry.place} is `{text}`, must be {setting.accepts} (it sets `{dotted}`)"
            else:
                message = f"{entry.place}: `{dotted}` is {_shown(entry.value)}, must be {setting.accepts}"
            problems.append(Problem(message, line=entry.line))
    return values


def _shown(value: object) -> str:
    """A value as TOML writes it; a table or a date, which fit nowhere, by what they are."""
    match value:
        case dict():
            return "a table"
        case "":
            return "empty"
        case bool() | str() | list():
            text = without_credentials(msgspec.json.encode(value, enc_hook=str).decode())
            return f"`{text if len(text) <= 60 else text[:57] + '…'}`"
        case _:
            return str(value)


def _build(values: Mapping[KeyPath, object], engines: list[str]) -> Settings:
    tree: dict[str, Any] = {"engines": {name: {} for name in engines}}
    for key, value in values.items():
        table = tree
        for part in key[:-1]:
            table = table.setdefault(part, {})
        table[key[-1]] = value
    return msgspec.convert(tree, Settings)


def _error(problems: list[Problem]) -> ConfigError:
    if len(problems) == 1:
        return ConfigError(problems[0].message, hint=problems[0].hint or None)
    lines = [f"  {p.message}" + (f" ({p.hint})" if p.hint else "") for p in problems]
    return ConfigError("\n".join([f"{len(problems)} settings are wrong:", *lines]))
