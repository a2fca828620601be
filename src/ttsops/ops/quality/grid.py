"""Which settings are swept: every combination of the values given for each option. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

import msgspec

from ttsops.errors import InvalidValue
from ttsops.speech import OptionValue

Axes = Mapping[str, Sequence[OptionValue]]
"""Option → the values it takes."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class Setting(msgspec.Struct, frozen=True):
    """One way to ask for the same speech."""

    name: str
    """Also its folder: `nfe-7`, `nfe-7_cfg_strength-2`."""

    options: dict[str, OptionValue]
    """What the request carries."""


def settings_of(axes: Axes) -> tuple[Setting, ...]:
    """Every combination, the first axis slowest. Raises `InvalidValue` for an axis without values."""
    for name, values in axes.items():
        if not values:
            raise InvalidValue(f"option `{name}` has no values", hint=f"such as {name}=8,16", param=name)
    names = list(axes)
    combinations = itertools.product(*(_distinct(values) for values in axes.values()))
    return _named([dict(zip(names, values, strict=True)) for values in combinations])


def joined(before: Sequence[Setting], added: Sequence[Setting]) -> tuple[Setting, ...]:
    """Those of `before`, and of `added` what is new."""
    known = [one.options for one in before]
    return _named([*known, *(one.options for one in added if one.options not in known)])


def reference_of(settings: Sequence[Setting], wish: str = "") -> Setting:
    """The setting that all are compared with.

    `wish` is a setting's name, `NAME=VALUE` for each option that decides (comma between them), or the value
    alone where one option is swept. Without one it is the highest: of each option in turn the largest number,
    and of words the first. Raises `InvalidValue` if `wish` does not name exactly one.
    """
    found = [one for one in settings if _is_meant(one, wish)] if wish else [max(settings, key=_height)]
    if len(found) != 1:
        listed = ", ".join(f"`{one.name}`" for one in settings)
        how = "names no setting" if not found else f"names {len(found)} settings"
        raise InvalidValue(f"reference `{wish}` {how} of this sweep", hint=f"these are: {listed}")
    return found[0]


def value_text(value: OptionValue) -> str:
    """A value as people write it: `true`, `7`, `0.5`, `euler`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_meant(setting: Setting, wish: str) -> bool:
    if wish == setting.name:
        return True
    texts = {name: value_text(value) for name, value in setting.options.items()}
    if "=" not in wish:
        return list(texts.values()) == [wish]
    asked = dict(part.strip().partition("=")[::2] for part in wish.split(","))
    return all(texts.get(name) == value for name, value in asked.items())


def _height(setting: Setting) -> tuple[float, ...]:
    """Numbers by their size; words are equal, and `max` keeps the first of equals."""
    return tuple(
        float(value) if isinstance(value, int | float) else 0.0 for value in setting.options.values()
    )


def _named(options: Sequence[dict[str, OptionValue]]) -> tuple[Setting, ...]:
    settings = tuple(Setting(_name(one), one) for one in options)
    names = [one.name.casefold() for one in settings]
    for one, name in zip(settings, names, strict=True):
        if names.count(name) > 1:
            raise InvalidValue(f"two settings would share the folder `{one.name}`", hint="sweep them apart")
    return settings


def _name(options: Mapping[str, OptionValue]) -> str:
    """A name that is a folder everywhere: letters, digits, `.`, `_` and `-`, never beginning with a dot."""
    name = "_".join(f"{option}-{value_text(value)}" for option, value in options.items())
    return _UNSAFE.sub("_", name).lstrip(".")[:100] or "default"


def _distinct(values: Sequence[OptionValue]) -> list[OptionValue]:
    """Each once. By type, too: True and 1 are equal, and not the same."""
    return list({(type(value), value): value for value in values}.values())
