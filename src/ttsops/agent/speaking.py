"""How a turn is spoken, wherever the engine is: text goes in as it is written, audio comes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from ttsops.speech import Mark, Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Who speaks, and how; empty for what the settings say."""

    engine: str = ""
    voice: str = ""
    language: str = ""
    """BCP 47 tag."""
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of a turn's audio."""

    samples: Samples
    """[N] at 24 kHz; may be empty."""

    marks: tuple[Mark, ...] = ()
    """From the turn's first sample, and its first character as it is spoken."""

    n_chars_done: int | None = None
    """With this piece, the audio of so many of the turn's characters is complete."""


class Speaking(Protocol):
    """The speech of one turn. Nothing here waits but `heard` and `aclose`."""

    language: str
    """What the text is in; empty if that is not known."""

    engine: str
    voice: str
    """Who speaks, as far as is known yet."""

    def say(self, text: str) -> None:
        """More text, speakable already."""
        ...

    def end(self) -> None:
        """No more text."""
        ...

    def cancel(self, reason: str) -> None:
        """Silence, within one step of the engine."""
        ...

    def heard(self) -> AsyncGenerator[Spoken, None]:
        """The audio, each piece as it is made; it ends early after `cancel`.

        Raises `TtsOpsError` for why it cannot go on.
        """
        ...

    async def aclose(self) -> None:
        """Cut off what is left."""
        ...


class Speech(Protocol):
    """Where turns are spoken."""

    async def open(self, manner: Manner) -> Speaking:
        """Get ready to speak. Raises `RequestError` for a manner that cannot be followed."""
        ...

    async def is_ready(self) -> bool:
        """It would speak now."""
        ...

    async def aclose(self) -> None:
        """Nothing may follow."""
        ...
