"""What is spoken: fixed texts and a fixed seed, so that every run does the same work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ttsops.ops.loadtest.corpus import TEXTS

SUITE_TEXTS = (TEXTS[3], TEXTS[6], TEXTS[8])
"""Sentences of about three, five and six seconds."""

SEED = 1
MIN_SYNTHESIS_SECONDS = 1.0
"""A fast engine speaks until its steps have taken this long: milliseconds alone are mostly chance."""

MAX_REPEATS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The texts, and who speaks them."""

    texts: tuple[str, ...] = SUITE_TEXTS
    seed: int = SEED
    voice: str = ""
    """Empty for the engine's default."""

    repeats: int = 3
    """Of each text, at least."""

    @property
    def id(self) -> str:
        """The same for the same work; repeats only make the figures less noisy."""
        told = "\0".join([*self.texts, str(self.seed)])
        return hashlib.sha256(told.encode()).hexdigest()[:8]

    def order(self, number: int) -> tuple[int, ...]:
        """Indices of the texts for repeat `number`, each time begun with another: a moment in which the
        machine is busy must not meet the same text every time."""
        n_texts = len(self.texts)
        return tuple((place + number) % n_texts for place in range(n_texts))
