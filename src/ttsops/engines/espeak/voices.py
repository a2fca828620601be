"""Voice ids of `espeak`, and what each means to the library.

An id is a language code as the library lists it (`en-us`, `de`), and may be followed by a variant that
changes its sound (`de+f3`). Both halves are looked up; nothing a caller sends becomes part of a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from ttsops.engines.espeak.card import CARD
from ttsops.engines.espeak.library import VoiceFile
from ttsops.errors import InvalidValue, UnknownVoice
from ttsops.speech import Voice

_WITHOUT_DICTIONARY = ("gmq/fo", "trk/kaa", "art/xex")
"""Listed by the library, but its wheel (0.2.4) has no dictionary for them: they are silent."""

Gender = Literal["female", "male", ""]


class VoiceBook:
    """Every voice and variant of the library, by id."""

    def __init__(self, voices: Sequence[VoiceFile], variants: Sequence[VoiceFile]) -> None:
        self._voices: dict[str, VoiceFile] = {}
        for file in voices:
            if file.identifier in _WITHOUT_DICTIONARY:
                continue
            # Two files may speak one language (`yue`); the second goes by its file's name.
            code = file.languages[0][1]
            self._voices[file.identifier.rpartition("/")[2].lower() if code in self._voices else code] = file
        self._variants = {file.identifier.removeprefix("!v/"): file for file in variants}

    @property
    def variants(self) -> tuple[str, ...]:
        """What may follow any voice after a `+`."""
        return tuple(sorted(self._variants, key=str.lower))

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags, each once."""
        return tuple(dict.fromkeys(_tag(file.languages[0][1]) for file in self._voices.values()))

    def voices(self) -> tuple[Voice, ...]:
        """Every voice, and the voices with a variant that the card names."""
        named = {voice for voice in (CARD.default_voice, *CARD.aliases.values()) if "+" in voice}
        return tuple(self._describe(voice) for voice in (*self._voices, *sorted(named)))

    def _describe(self, voice: str) -> Voice:
        base, _, variant = voice.partition("+")
        file = self._voices[base]
        sound = self._variants[variant] if variant else file
        name = f"{file.name}, {sound.name}" if variant else file.name
        return Voice(voice, name, _tag(file.languages[0][1]), cast(Gender, sound.gender))

    def find(self, voice: str, language: str = "") -> str:
        """The library's name for `voice`, moved to `language` if it speaks another.

        Raises `UnknownVoice`, or `InvalidValue` for a language nobody speaks.
        """
        base, plus, variant = (voice or CARD.default_voice).partition("+")
        if base not in self._voices or (plus and variant not in self._variants):
            raise UnknownVoice(f"engine `espeak` has no voice `{voice}`", param="voice")
        file = self._voices[base]
        if language:
            file = self._speaker_of(language, file)
        return f"{file.identifier}+{variant}" if variant else file.identifier

    def _speaker_of(self, language: str, preferred: VoiceFile) -> VoiceFile:
        """Who speaks this very tag, or `preferred` if the language is its own, or the language's first."""
        wanted = language.casefold()
        primary = wanted.partition("-")[0]
        if any(code == wanted for _, code in preferred.languages):
            return preferred
        exact = self._speakers(wanted)
        if exact:
            return exact[0]
        if preferred.languages[0][1].partition("-")[0] == primary:
            return preferred
        others = self._speakers(primary)
        if not others:
            raise InvalidValue(f"engine `espeak` does not speak `{language}`", param="language")
        return others[0]

    def _speakers(self, tag: str) -> list[VoiceFile]:
        ranked = [
            (priority, file)
            for file in self._voices.values()
            for priority, code in file.languages
            if code.casefold() == tag
        ]
        return [file for _, file in sorted(ranked, key=lambda one: one[0])]


def _tag(code: str) -> str:
    """A language code in the usual case: `en-US`, `fa-Latn`."""
    language, *rest = code.split("-")
    if "x" in rest:
        return code
    cased = (part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)
    return "-".join([language, *cased])
