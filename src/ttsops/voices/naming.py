"""From what somebody calls a voice to its id: `My new voice`, `en-US`, female → `en-US-MyNewVoice_woman`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Literal, get_args

from ttsops.errors import InvalidValue
from ttsops.speech import Voice
from ttsops.voices.manifest import describe_id, is_id

Gender = Literal["female", "male", "neutral"]

WORDS: dict[str, Gender] = {
    "woman": "female",
    "man": "male",
    "person": "neutral",
    **{gender: gender for gender in get_args(Gender)},
}
"""What a gender may be called → what it is."""

_IN_IDS: dict[Gender, str] = {"female": "woman", "male": "man", "neutral": "person"}
_LANGUAGE = re.compile(r"(?P<language>[A-Za-z]{2,3})(-[A-Za-z]{4})?(-(?P<region>[A-Za-z]{2}))?(-.*)?")
MAX_NAME_CHARS = 40


def name_voice(name: str, language: str = "", gender: str = "") -> Voice:
    """The voice that is meant, with its id.

    A name that is an id already says language and gender itself. Otherwise the language is English and the
    gender `person` unless they are given, and the id has only the letters and digits of the name.

    Raises `InvalidValue` for a name without one, for a language that is no BCP 47 tag, for a gender that is
    none, and for an id that says something else than was given.
    """
    name = " ".join(name.split())
    kind = _gender(gender)
    if is_id(name):
        voice = describe_id(name)
        if (language and _language(language) != voice.language) or (kind and kind != voice.gender):
            raise InvalidValue(
                f"`{name}` says `{voice.language}` and `{voice.gender}`, and something else was given",
                hint="give the name alone, such as `Alice`, or leave language and gender out",
                param="name",
            )
        return voice
    word = _word(name)
    voice_id = f"{_language(language or 'en')}-{word}_{_IN_IDS[kind or 'neutral']}"
    made = describe_id(voice_id)
    return Voice(made.id, name, made.language, made.gender)


def _gender(gender: str) -> Gender | None:
    if not gender:
        return None
    try:
        return WORDS[gender.lower()]
    except KeyError:
        raise InvalidValue(f"`{gender[:20]}` is not one of {', '.join(WORDS)}", param="gender") from None


def _language(language: str) -> str:
    """As ids have it: a script or variant has no place there."""
    match = _LANGUAGE.fullmatch(language)
    if not match:
        raise InvalidValue(
            f"`{language[:30]}` is no language", hint="a BCP 47 tag such as `en` or `zh-CN`", param="language"
        )
    region = f"-{match['region'].upper()}" if match["region"] else ""
    return match["language"].lower() + region


def _word(name: str) -> str:
    """Letters and digits of it, each word with a capital; a number made from it where there are none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    if not name:
        raise InvalidValue("the voice has no name", hint="give one, such as `en-Alice_woman`", param="name")
    if not words:
        return "Voice" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return "".join(word[:1].upper() + word[1:] for word in words)[:MAX_NAME_CHARS]
