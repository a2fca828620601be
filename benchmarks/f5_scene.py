"""What both sides of `benchmarks.f5` say, as whom, in how many steps. Runs in the reference's Python, too.

The voices are noise that comes and goes as syllables do, the same for everybody. `Case` has the frames that
both sides are given where they must compute the same; everywhere else each plans its own durations.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE, HOP = 24_000, 256
FRAMES_PER_SECOND = SAMPLE_RATE / HOP

SEED = 0
CFG_STRENGTH = 2.0
SWAY = -1.0


@dataclass(frozen=True, slots=True)
class BabbleVoice:
    """A recording of nobody."""

    id: str
    seconds: float
    """Before 50 ms of silence are put to its end."""

    transcript: str

    def wav(self) -> bytes:
        """Four syllables a second, 16 bit; the same for the same voice."""
        times = np.arange(round(self.seconds * SAMPLE_RATE)) / SAMPLE_RATE
        noise = np.random.default_rng(SEED).uniform(-1, 1, len(times))
        swelling = 0.3 + 0.2 * np.sin(2 * np.pi * 4 * times)
        file = io.BytesIO()
        with wave.open(file, "wb") as wav:
            wav.setparams((1, 2, SAMPLE_RATE, len(times), "NONE", ""))
            wav.writeframes((noise * swelling * 32767).astype("<i2").tobytes())
        return file.getvalue()


USUAL = BabbleVoice(
    "en-Usual_person",
    5.2833,
    "The harbour wakes before the town does, and men carry crates of ice along the quay.",
)
BRIEF = BabbleVoice("en-Brief_person", 2.75, "Crates of ice stand along the grey quay.")
VOICES = (USUAL, BRIEF)


@dataclass(frozen=True, slots=True)
class Case:
    """One chunk of speech."""

    voice: BabbleVoice
    nfe: int
    text: str = "Boats come in with the tide, and the first buyers are waiting beneath the lamps."
    n_new: int = 488
    """Frames to make: 5.2 s, a hop less than what is heard of them."""

    def frames(self, reference: NDArray[np.float32]) -> int:
        """Of reference and speech together."""
        return len(reference) // HOP + self.n_new

    @property
    def seconds(self) -> float:
        """That are heard."""
        return (self.n_new - 1) / FRAMES_PER_SECOND


EQUAL = Case(USUAL, nfe=8)
"""Computed by both sides from the same noise."""

QUICKER = Case(BRIEF, nfe=7)
"""The same text with the options that cost least quality."""

LONG_TEXT = (
    "By seven the fish hall is full of voices. Porters push their carts between the rows, and nobody looks "
    "up when the bell rings for the first sale. Most of the catch goes inland on the morning train. What is "
    "left feeds the town: the baker buys two crates, the school buys one, and the rest is smoked in the old "
    "sheds behind the church. By noon the floor is washed, and the gulls have the quay to themselves."
)
"""About 25 s at the pace of `USUAL`."""

LONG_NFE = 5

SHORT_TEXTS = (
    "The last boat is late tonight.",
    "Nobody knows where the cat went.",
    "Two men mend a net by the door.",
    "Rain falls on the empty market.",
    "The bell rings twice, then once.",
    "A lamp burns in the upper window.",
    "She counts the crates and nods.",
    "Tomorrow the wind will turn west.",
)
"""Two to two and a half seconds each at the pace of `BRIEF`, which says them."""

SHORT_NFE = 7
