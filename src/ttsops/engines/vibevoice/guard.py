"""What goes wrong in speech that a model makes, noticed meanwhile: silence, noise, a wrong end or none.

Pure: frames go in, and what should become of them comes out. Whoever speaks does it (`utterance.py`).

Two ways to be careful. `live`: a frame that sounds like speech leaves at once; one that does not is in
doubt. From the second in a row they are held until speech comes back, or until doubt has lasted so long that
they are made again: a listener hears one frame of a fault at the most, and waits for a pause only where there
is one. `file`: nothing leaves before all of it is made, and every fault can be answered from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from ttsops.engines.contract import Fault, FaultKind
from ttsops.speech import Samples

Guarding: TypeAlias = Literal["off", "live", "file"]
GUARDINGS: tuple[Guarding, ...] = ("off", "live", "file")
Sound: TypeAlias = Literal["speech", "silence", "noise"]
Verdict: TypeAlias = Literal["release", "hold", "keep", "again"]
"""`keep`: let it go, and remember the place to go back to should doubt last. `again`: go back there, with
another seed; what is held is thrown away."""

SILENCE_DBFS = -50.0
"""RMS of a frame below which nothing is heard; voices are brought to -25 before the model hears them."""

NOISE_CROSSINGS = 0.3
"""Share of neighbouring samples with different signs. White noise has a half, vowels a tenth at the most, and
an `s` about as much as noise, but not for longer than two frames."""

MAX_NOISE_FRAMES = 8
"""A second, at 7.5 frames."""

MAX_FIRST_SILENCE_FRAMES = 15
"""Two seconds before anything was said."""

MAX_SILENCE_FRAMES = 30
"""Four seconds between words: long pauses are somebody's wish."""

LEAST_SHARE_OF_USUAL = 0.25
"""An end after less than a quarter of the usual time left words out."""

LEAST_FRAMES = 2
"""Of any text: a quarter of a second."""


def sound_of(frame: Samples) -> Sound:
    """Of one frame [N] in [-1, 1]."""
    level = float(np.sqrt(np.mean(np.square(frame, dtype=np.float64)))) if len(frame) else 0.0
    if level < 10 ** (SILENCE_DBFS / 20):
        return "silence"
    n_crossings = np.count_nonzero(np.signbit(frame[1:]) != np.signbit(frame[:-1]))
    return "noise" if n_crossings > NOISE_CROSSINGS * (len(frame) - 1) else "speech"


@dataclass(slots=True)
class Watch:
    """Over one utterance, from its first frame to its end."""

    guarding: Guarding
    n_usual_frames: float
    """What a text of this length has."""

    n_tries_left: int
    """How often it may be made again."""

    holds_all: bool = False
    """Nothing leaves before its end, also where the guard is off."""

    has_spoken: bool = False
    """Something was heard that is neither silence nor noise."""

    faults: list[Fault] = field(default_factory=list)
    """Since they were last taken."""

    n_noisy: int = 0
    """Frames of noise since the last that was speech."""

    _n_doubtful: int = 0
    _is_excused: bool = False
    """The doubt that lasts was answered: it is let pass until speech comes back."""

    def take(self, frame: Samples) -> Verdict:
        """What becomes of the next frame, and of those that are held."""
        if self.guarding == "off":
            return "hold" if self.holds_all else "release"
        sound = sound_of(frame)
        if sound == "speech":
            self._clear()
            self.has_spoken = True
            return "hold" if self.holds_all else "release"
        self._n_doubtful += 1
        self.n_noisy += sound == "noise"
        fault = self._fault()
        if fault and not self._is_excused:
            if self._answer(fault):
                return "again"
            self._is_excused = True
        if self.holds_all:
            return "hold"
        if self._is_excused:
            return "release"
        return "keep" if self._n_doubtful == 1 else "hold"

    def take_mark(self) -> Verdict:
        """A segment of speech begins or ends: a pause is no fault, and no place before it is gone back to."""
        self._n_doubtful = 0
        return "hold" if self.holds_all else "release"

    def take_end(self, n_frames: int) -> Verdict:
        """The model has chosen to end after `n_frames`."""
        n_least = max(LEAST_FRAMES, LEAST_SHARE_OF_USUAL * self.n_usual_frames)
        # Before the first frame nothing was drawn: the choice would be the same with any seed.
        if self.guarding == "off" or n_frames == 0 or n_frames >= n_least:
            return "release"
        return "again" if self._answer("sudden_end", can_return=self.holds_all) else "release"

    def take_no_end(self) -> Verdict:
        """Its leave was used up without an end."""
        if self.guarding == "off":
            return "release"
        return "again" if self._answer("endless", can_return=self.holds_all) else "release"

    def taken_faults(self) -> tuple[Fault, ...]:
        """Those not taken before."""
        taken = tuple(self.faults)
        self.faults.clear()
        return taken

    def _fault(self) -> FaultKind | None:
        if self.n_noisy >= MAX_NOISE_FRAMES and (self.holds_all or self._n_doubtful > 1):
            return "noise"
        limit = MAX_SILENCE_FRAMES if self.has_spoken else MAX_FIRST_SILENCE_FRAMES
        return "silence" if self._n_doubtful >= limit else None

    def _answer(self, kind: FaultKind, *, can_return: bool = True) -> bool:
        """Whether it is made again; noted either way."""
        is_again = can_return and self.n_tries_left > 0
        self.faults.append(Fault(kind, "again" if is_again else "let_pass"))
        if is_again:
            self.n_tries_left -= 1
            self._clear()
            if self.holds_all:
                self.has_spoken = False  # nobody heard what is made again from the beginning
            else:
                # The frame before the place that it goes back to.
                self._n_doubtful, self.n_noisy = 1, int(kind == "noise")
        return is_again

    def _clear(self) -> None:
        self._n_doubtful = self.n_noisy = 0
        self._is_excused = False
