"""The control surface of an utterance: every parameter that shapes its sound, resolved, and a hash of them.

Two utterances with one hash were asked for with the same parameters. The text is not among them, and nothing
of it is in the hash. What is left out on purpose: the device (the same speech up to rounding), what is about
pace, memory and order, and the format it is encoded into.

The schema is frozen. A parameter is added to it here, with a new `SCHEMA`, or it is named as one that is not
heard: `unaccounted` says which is neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Literal

import msgspec

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.errors import ConfigError, UnknownOption
from ttsops.runtime.identity import DIGITS
from ttsops.settings import EngineSettings
from ttsops.speech import OptionValue, SpeechRequest, Voice
from ttsops.text import RULES_VERSION, TextOptions

SCHEMA = 1
"""Of `ControlSurface`; goes up with every change of its fields or of how one is resolved."""

HEARD = {
    SpeechRequest: ("voice", "language", "speed", "pitch", "seed", "options"),
    EngineSettings: ("dtype", "options"),
}
NOT_HEARD = {
    SpeechRequest: ("text", "is_text_complete"),
    EngineSettings: ("device", "max_batch", "max_streams"),
}


class ControlSurface(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One utterance, but for its text. Of two versions of the schema no two surfaces are alike."""

    schema: int = SCHEMA
    engine: str
    sample_rate: int
    """Hertz, of the engine."""

    dtype: str
    """As set up."""

    weights: dict[str, str]
    """Set-up option → what is in the files that it names."""

    setup: dict[str, OptionValue]
    """Every other set-up option that is heard, defaults included."""

    voice: str
    reference: str
    """What the voice speaks from, by its content; empty for a voice that is part of the engine."""

    language: str
    """Asked for, or the voice's."""

    speed: float
    pitch: float
    seed: int | Literal["none"]
    """`none`: drawn afresh for each utterance."""

    options: dict[str, OptionValue]
    """Every option of the request, defaults included."""

    text: dict[str, OptionValue]
    """How text is made speakable: `rules` is the version; empty if it is taken as it is."""


def control_surface(
    request: SpeechRequest,
    card: EngineCard,
    setup: EngineSettings,
    *,
    voices: Sequence[Voice] = (),
    weights: Mapping[str, str] | None = None,
    reference: str = "",
    text_options: TextOptions | None = None,
) -> ControlSurface:
    """Of a request whose voice is resolved, at an engine whose card is this one.

    Raises `UnknownOption` or `ConfigError` for a parameter that the card does not know.
    """
    return ControlSurface(
        engine=card.name,
        sample_rate=card.sample_rate,
        dtype=setup.dtype,
        weights=dict(weights or {}),
        setup=_resolved_setup(card, setup.options),
        voice=request.voice,
        reference=reference,
        language=request.language or voice_language(request.voice, voices),
        speed=float(request.speed),
        pitch=float(request.pitch),
        seed="none" if request.seed is None else request.seed,
        options=_resolved_options(card, request.options),
        text=_text_rules(text_options),
    )


def control_hash(surface: ControlSurface) -> str:
    """Such as `1-9f86d081884c7d65`: the schema, and the beginning of the SHA-256 of its canonical JSON."""
    data = msgspec.json.encode(surface, order="sorted")
    return f"{surface.schema}-{hashlib.sha256(data).hexdigest()[:DIGITS]}"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not the same in two surfaces as JSON, a parameter each: `options.nfe: 7, now 16`."""
    old, new = dict(_flat(before)), dict(_flat(now))
    return [
        f"{name}: {_told(old, name)}, now {_told(new, name)}"
        for name in sorted({*old, *new})
        if name not in old or name not in new or old[name] != new[name]
    ]


def unaccounted() -> tuple[str, ...]:
    """Parameters of a request or a set-up of which nobody has said whether they are heard."""
    known = {
        SpeechRequest: [field.name for field in fields(SpeechRequest)],
        EngineSettings: list(EngineSettings.__struct_fields__),
    }
    return tuple(
        f"{kind.__name__}.{name}"
        for kind, names in known.items()
        for name in names
        if name not in HEARD[kind] and name not in NOT_HEARD[kind]
    )


def voice_language(voice_id: str, voices: Sequence[Voice]) -> str:
    """The language a voice speaks; a variant (`en-us+f3`) speaks as its base does."""
    ids = (voice_id, voice_id.partition("+")[0])
    return next((one.language for one in voices if one.id in ids), "")


def _resolved_setup(card: EngineCard, options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    specs = {spec.name: spec for spec in card.setup}
    for name in options:
        if name not in specs:
            raise ConfigError(f"engine `{card.name}` has no option `{name}`", param=name)
    return {
        name: _typed(spec, options.get(name, spec.default))
        for name, spec in specs.items()
        if spec.shapes == "value"
    }


def _resolved_options(card: EngineCard, options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    specs = {spec.name: spec for spec in card.options}
    for name in options:
        if name not in specs:
            raise UnknownOption(f"engine `{card.name}` takes no option `{name}`", param=f"options.{name}")
    return {name: _typed(spec, options.get(name, spec.default)) for name, spec in specs.items()}


def _typed(spec: OptionSpec, value: OptionValue) -> OptionValue:
    """2 and 2.0 are one value of an option that is a number with a fraction."""
    return float(value) if spec.kind == "float" else value


def _text_rules(options: TextOptions | None) -> dict[str, OptionValue]:
    if options is None:
        return {}
    chosen = {name: "default" if value is None else value for name, value in asdict(options).items()}
    return {"rules": RULES_VERSION, **chosen}


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _told(values: Mapping[str, Any], name: str) -> str:
    return msgspec.json.encode(values[name]).decode() if name in values else "not there"
