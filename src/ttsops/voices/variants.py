"""The same voice higher, lower, faster, slower, louder or quieter: made from its recording, and measured.

A variant is signal processing and no other person: it keeps the consent of the voice it is made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ttsops.audio.checks import from_dbfs
from ttsops.audio.stretch import FACTORS, change_pitch, change_tempo
from ttsops.errors import InvalidValue
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.quality import VoiceQuality, measure_voice
from ttsops.voices.recording import PEAK_DBFS

Kind = Literal["pitch", "rate", "level"]
LEVELS = (-30.0, 12.0)
"""Decibels, least and most."""

DEFAULTS: Sequence[tuple[Kind, float]] = (
    ("pitch", 0.9),
    ("pitch", 1.1),
    ("rate", 0.9),
    ("rate", 1.1),
    ("level", -6.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One of them."""

    kind: Kind
    amount: float
    """A factor on pitch or rate; decibels on the level."""

    samples: Samples
    """[N] at 24 kHz."""

    quality: VoiceQuality

    @property
    def name(self) -> str:
        """As in `pitch-0.9`; fit for a file."""
        return f"{self.kind}{self.amount:+g}" if self.kind == "level" else f"{self.kind}-{self.amount:g}"

    @property
    def word(self) -> str:
        """As part of a voice's id, such as `Pitch090`."""
        return f"{self.kind.title()}{round(self.amount * 100):03d}"


def make_variant(samples: Samples, kind: Kind, amount: float) -> Variant:
    """Of samples [N] at 24 kHz, with a peak of at most -1 dBFS. Raises `InvalidValue` for an amount beyond.

    A level that would lift the peak above that is lowered to what does not; its quality says to which.
    """
    low, high = LEVELS if kind == "level" else FACTORS
    if not low <= amount <= high:
        raise InvalidValue(f"`{kind}` is {amount:g}, must be {low:g} to {high:g}", param=kind)
    if kind == "pitch":
        made = change_pitch(samples, SAMPLE_RATE, amount)
    elif kind == "rate":
        made = change_tempo(samples, SAMPLE_RATE, amount)
    else:
        made = samples * np.float32(from_dbfs(amount))
    peak = float(np.abs(made).max(initial=0.0))
    if peak > from_dbfs(PEAK_DBFS):
        made = made * np.float32(from_dbfs(PEAK_DBFS) / peak)
    return Variant(kind, amount, made, measure_voice(made, SAMPLE_RATE))
