"""How long an engine takes for a step, as a function of how many utterances are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StepModel:
    """Measured at some sizes of the batch, straight lines between and beyond them."""

    seconds_of: Mapping[int, float]
    """Utterances in the step → seconds it takes."""

    chunk_seconds: float
    """Seconds of audio a step makes for each."""

    open_seconds: float = 0.0
    """What the engine's thread is kept busy for by each utterance that begins, beyond a step."""

    def __call__(self, n: int) -> float:
        """Seconds of a step of `n` >= 1 utterances."""
        sizes = sorted(self.seconds_of)
        if n <= sizes[-1] or len(sizes) == 1:
            return float(np.interp(n, sizes, [self.seconds_of[one] for one in sizes]))
        (a, b), (at_a, at_b) = sizes[-2:], (self.seconds_of[one] for one in sizes[-2:])
        return at_b + (n - b) * (at_b - at_a) / (b - a)

    def speed(self, n: int) -> float:
        """Seconds of speech per second, `n` utterances at a time."""
        return n * self.chunk_seconds / self(n)

    def keeps_up_with(self, most: int) -> int:
        """The most utterances, up to `most`, that are all made at least as fast as they are heard."""
        return max((n for n in range(1, most + 1) if self(n) <= self.chunk_seconds), default=0)


def linear(*, step_seconds: float, utterance_seconds: float, chunk_seconds: float) -> StepModel:
    """As the engine `tone` takes its time: so much for each step, and so much for each utterance in it."""
    return StepModel({n: step_seconds + n * utterance_seconds for n in (1, 2)}, chunk_seconds)
