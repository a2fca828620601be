"""Whether an engine can take a request, asked of its card before the request costs anything.

Pure: a request in, the same request with its voice resolved out, or a `RequestError` that names the field,
what was wrong and what is accepted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.errors import EmptyText, InvalidValue, NotLive, TextTooLong, UnknownOption
from ttsops.speech import OptionValue, SpeechRequest, Voice
from ttsops.voices import resolve_voice

SPEED_RANGE = (0.25, 4.0)
PITCH_RANGE = (0.5, 2.0)
MAX_SEED = 2**63 - 1


def check_request(request: SpeechRequest, card: EngineCard, voices: Sequence[Voice]) -> SpeechRequest:
    """The request, ready for the engine. Raises a `RequestError` for what the engine would refuse."""
    _check_text(request, card)
    _check_factor("speed", request.speed, SPEED_RANGE, is_applied=card.has_speed, engine=card.name)
    _check_factor("pitch", request.pitch, PITCH_RANGE, is_applied=card.has_pitch, engine=card.name)
    if request.seed is not None and not 0 <= request.seed <= MAX_SEED:
        raise InvalidValue(f"`seed` is {request.seed}, must be 0 to {MAX_SEED}", param="seed")
    specs = {spec.name: spec for spec in card.options}
    options = {name: _check_option(name, value, specs) for name, value in request.options.items()}
    return replace(request, voice=_choose_voice(request, card, voices), options=options)


def check_live(card: EngineCard) -> None:
    """Raises `NotLive` for an engine that was measured to be slower than playback on its device."""
    if not card.is_realtime:
        raise NotLive(
            f"engine `{card.name}` is slower than playback on this device: a live stream would fall silent",
            hint="ask for a whole file, or set `live` in its options to offer live streams all the same",
        )


def _check_text(request: SpeechRequest, card: EngineCard) -> None:
    if request.is_text_complete and not request.text.strip():
        raise EmptyText("the text is empty", param="text", hint="send words to speak")
    if len(request.text) > card.max_text_chars:
        raise TextTooLong(
            f"the text has {len(request.text)} characters, `{card.name}` takes {card.max_text_chars}",
            param="text",
            hint="send it in several requests",
        )


def _check_factor(
    name: str, value: float, accepted: tuple[float, float], *, is_applied: bool, engine: str
) -> None:
    low, high = accepted
    if not (math.isfinite(value) and low <= value <= high):
        raise InvalidValue(f"`{name}` is {value:g}, must be {low:g} to {high:g}", param=name)
    if value != 1.0 and not is_applied:
        raise InvalidValue(f"engine `{engine}` cannot change `{name}`; it must be 1", param=name)


def _check_option(name: str, value: OptionValue, specs: dict[str, OptionSpec]) -> OptionValue:
    spec = specs.get(name)
    if spec is None:
        known = ", ".join(sorted(specs)) or "none"
        raise UnknownOption(f"no option `{name}`; this engine takes: {known}", param=f"options.{name}")
    kinds = {"bool": bool, "int": int, "float": float, "str": str}
    if spec.kind == "float" and type(value) is int:
        value = float(value)
    # `type is`, since True is an int to isinstance.
    if type(value) is not kinds[spec.kind]:
        raise InvalidValue(f"option `{name}` must be of type {spec.kind}", param=f"options.{name}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = -math.inf if spec.minimum is None else spec.minimum
        high = math.inf if spec.maximum is None else spec.maximum
        if not low <= value <= high:
            raise InvalidValue(
                f"option `{name}` is {value:g}, must be {low:g} to {high:g}", param=f"options.{name}"
            )
    if spec.choices and value not in spec.choices:
        raise InvalidValue(
            f"option `{name}` is `{value}`, must be one of {', '.join(spec.choices)}", param=f"options.{name}"
        )
    return value


def _choose_voice(request: SpeechRequest, card: EngineCard, voices: Sequence[Voice]) -> str:
    """The voice asked for; else the default one, or the first of the language asked for."""
    if request.voice or not request.language:
        return resolve_voice(request.voice, card, voices)
    by_id = {voice.id: voice for voice in voices}
    candidates = [by_id[card.default_voice], *voices] if card.default_voice in by_id else list(voices)
    wanted = request.language.lower()
    for voice in candidates:
        spoken = voice.language.lower()
        # A voice without a language speaks several: the engine decides.
        if not spoken or spoken == wanted or spoken.startswith(f"{wanted}-"):
            return voice.id
    raise InvalidValue(
        f"engine `{card.name}` has no voice for language `{request.language}`",
        param="language",
        hint="`ttsops voices` lists voices and languages",
    )
