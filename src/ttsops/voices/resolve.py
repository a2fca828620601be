"""From the name a request gives to a voice id of one engine. Pure: it knows no engine and keeps no state."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ttsops.errors import UnknownVoice
from ttsops.speech import Voice
from ttsops.voices.openai import OPENAI_VOICES, OpenAiVoice

N_LISTED = 8
"""Voices named in an error; an engine may have hundreds."""

_OPENAI = {voice.name: voice for voice in OPENAI_VOICES}


class Speaker(Protocol):
    """What an engine's card says about its voices."""

    @property
    def name(self) -> str:
        """The engine."""
        ...

    @property
    def default_voice(self) -> str:
        """Who speaks when nobody is named."""
        ...

    @property
    def aliases(self) -> Mapping[str, str]:
        """Names of other systems → voice ids."""
        ...

    @property
    def voice_variants(self) -> tuple[str, ...]:
        """What may follow a voice id after `+`."""
        ...


def resolve_voice(requested: str, card: Speaker, voices: Sequence[Voice]) -> str:
    """The id of the voice that `requested` means; the card's default if it is empty.

    In this order: an exact id, an alias of the card, an id or name but for its case, such a voice with a
    variant after `+`, and one of OpenAI's names, which every engine answers. Raises `UnknownVoice`.
    """
    if not requested:
        return card.default_voice
    found = _find(requested, card, voices) or _with_variant(requested, card, voices)
    if found:
        return found
    openai = _OPENAI.get(requested.casefold())
    if openai and voices:
        return _stand_in(openai, card, voices).id
    raise _unknown(requested, card, voices)


def language_of(requested: str, card: Speaker, voices: Sequence[Voice]) -> str:
    """BCP 47 tag of the voice that `requested` means; empty if it speaks several. Raises `UnknownVoice`."""
    voice_id = resolve_voice(requested, card, voices)
    # A variant (`en-us+f3`) speaks as its base does.
    ids = (voice_id, voice_id.partition("+")[0])
    return next((voice.language for voice in voices if voice.id in ids), "")


def _find(requested: str, card: Speaker, voices: Sequence[Voice]) -> str | None:
    wanted = requested.casefold()
    exact = (voice.id for voice in voices if voice.id == requested)
    by_alias = (voice_id for alias, voice_id in card.aliases.items() if alias.casefold() == wanted)
    by_id = (voice.id for voice in voices if voice.id.casefold() == wanted)
    by_name = (voice.id for voice in voices if voice.name.casefold() == wanted)
    return next(itertools.chain(exact, by_alias, by_id, by_name), None)


def _with_variant(requested: str, card: Speaker, voices: Sequence[Voice]) -> str | None:
    base, plus, wanted = requested.rpartition("+")
    variant = next((one for one in card.voice_variants if one.casefold() == wanted.casefold()), None)
    found = _find(base, card, voices) if plus and variant else None
    return f"{found.partition('+')[0]}+{variant}" if found else None


def _stand_in(wanted: OpenAiVoice, card: Speaker, voices: Sequence[Voice]) -> Voice:
    """Always the same voice for a name, and different voices for different names as far as they go."""
    language = next((voice.language for voice in voices if voice.id == card.default_voice), "")
    candidates = [voice for voice in voices if voice.language == language] or list(voices)
    alike = [voice for voice in candidates if voice.gender == wanted.gender]
    if not alike:
        return candidates[_position(wanted, OPENAI_VOICES) % len(candidates)]
    peers = [voice for voice in OPENAI_VOICES if voice.gender == wanted.gender]
    return alike[_position(wanted, peers) % len(alike)]


def _position(wanted: OpenAiVoice, among: Iterable[OpenAiVoice]) -> int:
    return [voice.name for voice in among].index(wanted.name)


def _unknown(requested: str, card: Speaker, voices: Sequence[Voice]) -> UnknownVoice:
    ids = [voice.id for voice in voices]
    close = difflib.get_close_matches(requested, [*ids, *card.aliases], n=1)
    guess = f"did you mean `{close[0]}`? " if close else ""
    listed = ", ".join(f"`{one}`" for one in ids[:N_LISTED])
    more = f" and {len(ids) - N_LISTED} more" if len(ids) > N_LISTED else ""
    message = f"engine `{card.name}` has no voice `{requested}`"
    return UnknownVoice(message, hint=f"{guess}voices: {listed}{more}", param="voice")
