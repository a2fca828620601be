"""What is asked of whoever speaks a line, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from ttsops.audio import SUFFIXES, Format
from ttsops.batch.manifest import Line
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.text import TextOptions


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What lines that say nothing are spoken with."""

    engine: str
    voice: str = ""
    """Of lines that name no other engine, as are `options`."""

    language: str = ""
    format: Format = Format.WAV
    speed: float = 1.0
    pitch: float = 1.0
    seed: int = 0
    options: dict[str, OptionValue] = msgspec.field(default_factory=dict)
    markdown: bool = True
    emoji: bool = True
    numbers: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """One line with nothing left out; its text as it is written."""

    number: int
    """Of the line, from 1."""

    id: str
    digest: str
    engine: str
    format: Format
    request: SpeechRequest
    text_options: TextOptions

    @property
    def file(self) -> str:
        """Its name."""
        return f"{self.id}{SUFFIXES[self.format]}"


@dataclass(frozen=True, slots=True)
class Speech:
    """A line, spoken."""

    data: bytes
    """The whole file."""

    audio_seconds: float
    voice: str


class LineSpeaker(Protocol):
    """Who speaks lines: the runtime of this process, or those of other machines."""

    @property
    def n_at_once(self) -> int:
        """Lines that keep it busy; more would only be held."""
        ...

    @property
    def weights(self) -> Mapping[str, Mapping[str, str]]:
        """What is in the files of each engine's weights, as far as is known."""
        ...

    async def speak(self, order: Order) -> Speech:
        """Raises what kept it from being spoken."""
        ...


def order_of(number: int, line: Line, defaults: Defaults) -> Order:
    """The line with its defaults."""
    engine = line.engine or defaults.engine
    is_default = engine == defaults.engine
    request = SpeechRequest(
        text=line.text,
        voice=line.voice or (defaults.voice if is_default else ""),
        language=line.language or defaults.language,
        speed=defaults.speed if line.speed is None else line.speed,
        pitch=defaults.pitch if line.pitch is None else line.pitch,
        seed=defaults.seed if line.seed is None else line.seed,
        options=line.options if line.options is not None else (defaults.options if is_default else {}),
    )
    text_options = TextOptions(markdown=defaults.markdown, emoji=defaults.emoji, numbers=defaults.numbers)
    fmt = line.format or defaults.format
    return Order(number, line.id, line.digest(), engine, fmt, request, text_options)
