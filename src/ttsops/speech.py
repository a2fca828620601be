"""The shared words: what is asked for, who says it, and what is heard.

Everything that travels between rooms is one of these types. They know nothing of engines, sockets or formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # importing tts-ops, or asking for help, must not cost numpy's 130 ms
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE = 24_000
"""Hertz of all audio inside tts-ops, from the runtime outwards."""

Samples: TypeAlias = "npt.NDArray[np.float32]"
"""Mono audio [N], float32 in [-1, 1]."""

OptionValue: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody an engine can speak as."""

    id: str
    """What a request names; looked up, never used as a path."""

    name: str
    """For people."""

    language: str = ""
    """BCP 47 tag such as `en-US`; empty if the voice speaks several."""

    gender: Literal["female", "male", "neutral", ""] = ""

    description: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text, and when it is heard."""

    start_seconds: float
    """From the first sample of the utterance."""

    text_start: int
    """Index of its first character in the utterance's text, all pieces joined."""

    text_length: int

    kind: Literal["word", "sentence"] = "word"


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Contiguous samples handed on at once, and the marks that fall into them."""

    samples: Samples
    sample_rate: int = SAMPLE_RATE
    marks: tuple[Mark, ...] = ()

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One utterance: what to say and how. Checked against the engine's card before it is opened."""

    text: str
    """All of the text, or its first piece (which may be empty) when `is_text_complete` is false."""

    is_text_complete: bool = True
    """False: more text is appended while it speaks, and its end is announced."""

    voice: str = ""
    """A voice id of the engine; empty for its default."""

    language: str = ""
    """BCP 47 tag; empty to follow the voice."""

    speed: float = 1.0
    """Rate of speech: 2.0 speaks twice as fast. 0.25 to 4.0."""

    pitch: float = 1.0
    """Factor on the voice's pitch, 0.5 to 2.0, for engines that declare it."""

    seed: int | None = None
    """Start of the utterance's own random generator; None draws a fresh one."""

    options: Mapping[str, OptionValue] = field(default_factory=dict)
    """What only this engine takes (`nfe`, `cfg_scale`, …), declared in its card."""
