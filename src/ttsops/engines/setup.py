"""How an engine reads its `EngineConfig`: options into a typed structure, limits onto its card.

An engine declares its set-up options as a `msgspec.Struct` whose fields carry `Meta(description=…)` and
ranges, and with `extra={"shapes": …}` what of them is heard where that is not the value; the same structure
refuses what is wrong and describes itself for listings.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from ttsops.engines.contract import EngineCard, EngineConfig, OptionSpec, Shapes
from ttsops.errors import ConfigError
from ttsops.speech import OptionValue


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of an engine's set-up options. Every field has a default."""


class NetworkOptions(EngineOptions, frozen=True):
    """Base of the set-up options of a neural engine."""

    random_weights: Annotated[
        Literal["", "small", "full"],
        Meta(
            description="`small` or `full`: noise instead of speech, for tests and benchmarks without weights"
        ),
    ] = ""
    random_seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Seed of random weights")] = 0
    threads: Annotated[
        int,
        Meta(
            ge=0,
            le=1024,
            description="CPU threads of a step; 0 for the library's choice",
            extra={"shapes": "nothing"},
        ),
    ] = 0


O = TypeVar("O", bound=EngineOptions)  # noqa: E741 - O for options


def read_options(engine: str, options: Mapping[str, OptionValue], kind: type[O]) -> O:
    """`EngineConfig.options` as the engine's own structure. Raises `ConfigError` naming the wrong one."""
    accepted = {one.name: one for one in describe_options(kind)}
    for name in options:
        if name not in accepted:
            close = difflib.get_close_matches(name, accepted, n=1)
            guess = f"did you mean `{close[0]}`? " if close else ""
            listed = ", ".join(f"`{one}`" for one in accepted) or "none"
            raise ConfigError(
                f"engine `{engine}` has no option `{name}`", hint=f"{guess}accepted: {listed}", param=name
            )
    for name, value in options.items():  # one at a time, so that the message can name it
        try:
            msgspec.convert({name: value}, kind)
        except msgspec.ValidationError as e:
            reason = str(e).split(" - at ")[0]
            message = f"option `{name}` of engine `{engine}` is {value!r}: {reason[0].lower()}{reason[1:]}"
            raise ConfigError(message, hint=accepted[name].help, param=name) from e
    return msgspec.convert(dict(options), kind)


def describe_options(kind: type[EngineOptions]) -> tuple[OptionSpec, ...]:
    """What `kind` accepts, for cards, listings and documents."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return tuple(_describe(field) for field in info.fields)


def _describe(field: msgspec.inspect.Field) -> OptionSpec:
    inner, text = field.type, ""
    shapes: Shapes = "value"
    if isinstance(inner, msgspec.inspect.Metadata):
        text = str((inner.extra_json_schema or {}).get("description", ""))
        shapes = (inner.extra or {}).get("shapes", "value")
        inner = inner.type
    kinds: dict[type[msgspec.inspect.Type], Literal["bool", "int", "float", "str"]] = {
        msgspec.inspect.BoolType: "bool",
        msgspec.inspect.IntType: "int",
        msgspec.inspect.FloatType: "float",
        msgspec.inspect.StrType: "str",
        msgspec.inspect.LiteralType: "str",
    }
    return OptionSpec(
        name=field.encode_name,
        kind=kinds[type(inner)],
        help=text,
        default=field.default,
        minimum=getattr(inner, "ge", None),
        maximum=getattr(inner, "le", None),
        choices=tuple(getattr(inner, "values", ())),
        shapes=shapes,
    )


def lower_card(card: EngineCard, config: EngineConfig, **changes: Any) -> EngineCard:
    """The card with `changes` and the operator's limits, which may lower its own, never raise them."""
    return replace(
        card,
        max_batch=min(card.max_batch, config.max_batch or card.max_batch),
        max_streams=min(card.max_streams, config.max_streams or card.max_streams),
        **changes,
    )
