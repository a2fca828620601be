"""What a turn gives while it goes on: pieces of text and of audio, each with its time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from ttsops.speech import Samples


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer as the model wrote it."""

    at_seconds: float
    """From the question."""

    text: str
    is_apology: bool = False
    """Not the model's: said because it failed."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that is heard, where the engine says when."""

    start_seconds: float
    """From the first sample of the turn."""

    text: str


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """A piece of the answer as it is heard; they follow each other without a gap."""

    at_seconds: float
    """From the question."""

    start_seconds: float
    """From the first sample of the turn."""

    samples: Samples
    """[N] at 24 kHz, never empty."""

    words: tuple[Word, ...] = ()


Event: TypeAlias = TextDelta | AudioDelta
Emit: TypeAlias = Callable[[Event], Awaitable[None]]
"""Hands an event on; a listener who reads slowly makes it wait."""
