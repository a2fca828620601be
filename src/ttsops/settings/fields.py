"""The settings tree as a flat list: what each setting is called, takes and means."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.inspect import (
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from ttsops.settings.toml_lines import KeyPath
from ttsops.settings.tree import Settings

ANY_ENGINE = "NAME"
ANY_OPTION = "OPTION"
_PLACEHOLDERS = (ANY_ENGINE, ANY_OPTION)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    key: KeyPath
    """Such as `("server", "port")`; `NAME` stands for any engine or model, `OPTION` for any option."""

    type: Any
    """What `msgspec.convert` takes."""

    accepts: str
    """Completes "must be …"."""

    default: object
    """None for a setting that may be absent."""

    description: str
    choices: tuple[str, ...]
    """All accepted values, where they can be listed."""

    is_list: bool


@functools.cache
def all_settings() -> tuple[Setting, ...]:
    """In the order of the tree."""
    return tuple(_walk(Settings, ()))


@functools.cache
def all_tables() -> tuple[tuple[KeyPath, str], ...]:
    """Every table's key with the first line of its docstring."""
    return tuple(_walk_tables(Settings, ()))


def find_setting(key: KeyPath) -> Setting | None:
    """The setting of that key, whatever the engine, model and option are called."""
    return next((setting for setting in all_settings() if _matches(setting.key, key)), None)


def is_table(key: KeyPath) -> bool:
    """True if `key` names a table of settings."""
    return any(_matches(setting.key[: len(key)], key) for setting in all_settings()) and not find_setting(key)


def flatten(settings: Settings) -> dict[KeyPath, object]:
    """Every value of the tree by its key; engines and their options by their own names."""
    values: dict[KeyPath, object] = {}
    _flatten(settings, (), values)
    return values


def _flatten(value: object, key: KeyPath, values: dict[KeyPath, object]) -> None:
    if isinstance(value, Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        for name, inner in value.items():
            _flatten(inner, (*key, name), values)
    else:
        values[key] = value


def _matches(pattern: KeyPath, key: KeyPath) -> bool:
    return len(pattern) == len(key) and all(
        part in (_PLACEHOLDERS) or part == name for part, name in zip(pattern, key, strict=True)
    )


def _walk(cls: type[Struct], prefix: KeyPath) -> Iterator[Setting]:
    info = type_info(cls)
    assert isinstance(info, StructType)
    hints = get_type_hints(cls, include_extras=True)
    for field in info.fields:
        key = (*prefix, field.name)
        match _bare(field.type):
            case StructType(cls=section):
                yield from _walk(section, key)
            case DictType(value_type=StructType(cls=section)):
                yield from _walk(section, (*key, ANY_ENGINE))
            case DictType(value_type=value_type):
                yield _setting(
                    (*key, ANY_OPTION), field, value_type, hints[field.name].__origin__.__args__[1]
                )
            case _:
                yield _setting(key, field, field.type, hints[field.name])


def _walk_tables(cls: type[Struct], prefix: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    info = type_info(cls)
    assert isinstance(info, StructType)
    yield prefix, (cls.__doc__ or "").splitlines()[0]
    for field in info.fields:
        match _bare(field.type):
            case StructType(cls=section):
                yield from _walk_tables(section, (*prefix, field.name))
            case DictType(value_type=StructType(cls=section)):
                yield from _walk_tables(section, (*prefix, field.name, ANY_ENGINE))


def _setting(key: KeyPath, field: Field, info: Type, convert_to: Any) -> Setting:
    meta = field.type if isinstance(field.type, Metadata) else Metadata(field.type)
    bare = _bare(info)
    return Setting(
        key=key,
        type=convert_to,
        accepts=(meta.extra or {}).get("accepts") or _accepts(bare),
        default=None if field.default is NODEFAULT else field.default,
        description=(meta.extra_json_schema or {}).get("description", ""),
        choices=tuple(map(str, bare.values)) if isinstance(bare, LiteralType) else (),
        is_list=isinstance(bare, VarTupleType),
    )


def _bare(info: Type) -> Type:
    """Without its description, and without "or absent"."""
    if isinstance(info, Metadata):
        return _bare(info.type)
    if isinstance(info, UnionType):
        present = [option for option in info.types if not isinstance(option, NoneType)]
        return _bare(present[0]) if len(present) == 1 else info
    return info


def _accepts(info: Type) -> str:
    match info:
        case BoolType():
            return "true or false"
        case IntType():
            return "an integer" + _range(info)
        case FloatType():
            return "a number" + _range(info)
        case LiteralType(values=values):
            return "one of " + ", ".join(f"`{value}`" if value else "empty" for value in values)
        case VarTupleType():
            return "a list of texts"
        case UnionType():
            return "true, false, a number or a text"
        case _:
            return "a text" + (" that is not empty" if getattr(info, "min_length", None) else "")


def _range(info: IntType | FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge} to {info.le}"
    if info.ge is not None:
        return f", at least {info.ge}"
    if info.gt is not None:
        return f" above {info.gt}"
    return ""


def convert(setting: Setting, value: object, *, from_text: bool = False) -> object:
    """`value` as the setting's type; with `from_text` it is read as an environment variable's.

    Raises `msgspec.ValidationError`, whose message is not for people: say what the setting `accepts`.
    """
    if from_text and isinstance(value, str):
        value = _from_text(setting, value.strip())
    converted = msgspec.convert(value, setting.type, strict=not from_text or setting.key[-1] == ANY_OPTION)
    if isinstance(converted, float) and not _is_finite(converted):
        raise msgspec.ValidationError("not finite")
    return converted


def _is_finite(value: float) -> bool:
    return value - value == 0


def _from_text(setting: Setting, text: str) -> object:
    if setting.is_list:
        return [part.strip() for part in text.split(",") if part.strip()]
    if setting.key[-1] == ANY_OPTION:
        return parse_scalar(text)
    lowered = text.lower()
    return lowered if lowered in setting.choices else text  # operators write LOG_LEVEL=INFO


def parse_scalar(text: str) -> bool | int | float | str:
    """`true`, `false` and numbers as what they are, everything else as the text itself."""
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
