"""Where values come from: the file, the environment, the command line. Each value remembers its place.

Keys are checked here, because each source names them differently; values are checked when all are merged.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ttsops.settings.fields import ANY_ENGINE, all_settings, find_setting, is_table
from ttsops.settings.names import (
    DEFAULT_ENGINE,
    LLM_PREFIX,
    OPERATOR_NAMES,
    OTHER_NAMES,
    PREFIX,
    key_of,
    systematic_name,
)
from ttsops.settings.toml_lines import KeyPath, key_lines


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    message: str
    """With its place: "`ttsops.toml`, line 3: …"."""

    hint: str = ""
    line: int = 0
    """In the settings file; 0 for what is not in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value as it was given."""

    value: object
    place: str
    """`ttsops.toml`, line 3."""

    is_text: bool = False
    """From the environment: numbers and lists are still text."""

    line: int = 0


@dataclass(slots=True)
class Source:
    """All that one source gave."""

    entries: dict[KeyPath, Entry] = field(default_factory=dict)
    engines: list[str] = field(default_factory=list)
    """Engines it mentions, also those of which it says nothing else."""

    problems: list[Problem] = field(default_factory=list)


def read_file(path: Path) -> Source:
    """The settings file; what cannot be read is a problem, too."""
    source = Source()
    try:
        document = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(document)
    except OSError as error:
        source.problems.append(Problem(f"`{path}`: {error.strerror or error}"))
    except UnicodeDecodeError:
        source.problems.append(Problem(f"`{path}`: not UTF-8 text"))
    except tomllib.TOMLDecodeError as error:
        source.problems.append(Problem(_syntax_message(path, str(error))))
    else:
        _read_table(data, (), path, key_lines(document), source)
    return source


def _syntax_message(path: Path, text: str) -> str:
    """tomllib says "Invalid value (at line 3, column 8)", or "(at end of document)"."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", text)
    if not found:
        return f"`{path}`: {text}"
    what, line = found.groups()
    return f"`{path}`, line {line}: {what[0].lower()}{what[1:]}"


def _read_table(
    data: Mapping[str, object], prefix: KeyPath, path: Path, lines: Mapping[KeyPath, int], source: Source
) -> None:
    for name, value in data.items():
        key = (*prefix, name)
        line = lines[key]
        place = f"`{path}`, line {line}"
        if find_setting(key):
            source.entries[key] = Entry(value, place, line=line)
        elif not is_table(key):
            source.problems.append(Problem(f"{place}: unknown key `{_dotted(key)}`", _hint_for(key), line))
        elif not isinstance(value, dict):
            source.problems.append(Problem(f"{place}: `{_dotted(key)}` must be a table", line=line))
        else:
            if prefix == ("engines",):
                source.engines.append(name)
            _read_table(value, key, path, lines, source)


def read_environment(env: Mapping[str, str]) -> Source:
    """Every variable that is ours; an empty one counts as not set, as Compose files leave them."""
    source = Source()
    for name, key in OPERATOR_NAMES.items():
        if env.get(name):
            source.entries[key] = Entry(env[name], f"environment variable `{name}`", is_text=True)
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in OTHER_NAMES or not env[name]:
            continue
        key = key_of(name)
        place = f"environment variable `{name}`"
        if find_setting(key):
            source.entries[key] = Entry(env[name], place, is_text=True)
        else:
            known = [
                *OTHER_NAMES,
                *(systematic_name(s.key) for s in all_settings() if ANY_ENGINE not in s.key),
            ]
            source.problems.append(Problem(f"{place} sets nothing", _did_you_mean(name, known)))
    source.problems += _misspelt(env)
    source.engines = [key[1] for key in source.entries if key[0] == "engines" and key[1] != DEFAULT_ENGINE]
    return source


def _misspelt(env: Mapping[str, str]) -> Iterable[Problem]:
    """Names of the language model's that are almost one of ours; see `LLM_PREFIX`."""
    known = {name for name in (*OPERATOR_NAMES, *OTHER_NAMES) if name.startswith(LLM_PREFIX)}
    for name in sorted(env):
        if name.startswith(LLM_PREFIX) and env[name] and name not in known:
            hint = _did_you_mean(name, known, cutoff=0.8)
            if hint:
                yield Problem(f"environment variable `{name}` sets nothing", hint)


def read_overrides(values: Mapping[str, object]) -> Source:
    """From the command line: dotted key → value; None was not given."""
    source = Source()
    for dotted, value in values.items():
        if value is not None:
            source.entries[tuple(dotted.split("."))] = Entry(value, "command line")
    source.engines = [key[1] for key in source.entries if key[0] == "engines"]
    return source


def with_default_engine(entries: Mapping[KeyPath, Entry], engine: str) -> dict[KeyPath, Entry]:
    """`TTS_DEVICE` and its like, turned to the engine they are about; a systematic name goes before them."""
    specific = {key: entry for key, entry in entries.items() if DEFAULT_ENGINE not in key}
    general = {
        tuple(engine if part == DEFAULT_ENGINE else part for part in key): entry
        for key, entry in entries.items()
        if DEFAULT_ENGINE in key
    }
    return general | specific


def _dotted(key: KeyPath) -> str:
    return ".".join(key)


def _hint_for(key: KeyPath) -> str:
    """The key it may have been meant to be: spelled alike in the same table, or of that name in another."""
    siblings = {s.key[len(key) - 1] for s in all_settings() if _is_below(s.key, key[:-1])} - {ANY_ENGINE}
    close = _did_you_mean(key[-1], siblings)
    if close:
        return close
    elsewhere = [_dotted(s.key[:-1]) for s in all_settings() if s.key[-1] == key[-1] and len(s.key) > 1]
    return f"`{key[-1]}` belongs under `[{elsewhere[0]}]`" if elsewhere else ""


def _is_below(key: KeyPath, table: KeyPath) -> bool:
    return len(key) > len(table) and all(
        a in (ANY_ENGINE, b) for a, b in zip(key[: len(table)], table, strict=True)
    )


def _did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.75) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=cutoff)
    return f"did you mean `{close[0]}`?" if close else ""
