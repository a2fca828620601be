"""One utterance of the engine: its voices are prepared, its prompt is read, it speaks, it ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from ttsops.engines.contract import Step
from ttsops.engines.vibevoice.generate import Outcome
from ttsops.engines.vibevoice.shelf import Prefix
from ttsops.engines.vibevoice.track import Track
from ttsops.errors import NoEos, TtsOpsError


class Utterance:
    """`begin` gives a track in the utterance's slot, once its prefix [L, 2, G, P, D] is there."""

    def __init__(
        self, slot: int, prefix: Prefix, begin: Callable[[Tensor], Track], *, is_bound_the_end: bool
    ) -> None:
        self.slot: int | None = slot
        self.is_done = False
        self._prefix: Prefix | None = prefix
        self._begin = begin
        self._is_bound_the_end = is_bound_the_end
        self._track: Track | None = None

    @property
    def unfinished(self) -> Prefix | None:
        """What has to be made before it can speak; others may wait for the same."""
        return self._prefix if self._prefix and not self._prefix.memory.is_done else None

    @property
    def track(self) -> Track:
        """Only once nothing is unfinished."""
        if self._track is None:
            assert self._prefix is not None
            self._track = self._begin(self._prefix.memory.result)
            self._prefix = None
        return self._track

    def take(self, outcome: Outcome) -> Step:
        """What a step did."""
        if outcome.end == "eos" or (outcome.end and self._is_bound_the_end):
            self.is_done = True
            return Step(is_done=True)
        if outcome.end:
            self.is_done = True
            return Step(error=self._no_end())
        return Step(np.clip(outcome.samples, -1.0, 1.0))

    def _no_end(self) -> TtsOpsError:
        track = self.track
        if track.position >= track.max_positions:
            return NoEos(
                f"the context of {track.max_positions} positions is full after {track.n_frames} frames",
                hint="speak it in parts, or raise `max_positions` in the engine's options",
            )
        return NoEos(
            f"no end of speech after {track.n_frames} frames, far more than the text has",
            hint="another seed, or a longer text; `max_frames_per_char` in the engine's options is the bound",
        )
