"""One utterance of the engine: its voices are prepared, its prompt is read, it speaks, it ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from ttsops.engines.contract import Step
from ttsops.engines.nn.noise import NoiseSource
from ttsops.engines.vibevoice.checkpoints import counts, restore_checkpoint, save_checkpoint
from ttsops.engines.vibevoice.generate import Outcome, Token
from ttsops.engines.vibevoice.guard import Verdict, Watch
from ttsops.engines.vibevoice.place import Place, go_back, go_to_beginning, keep_place
from ttsops.engines.vibevoice.shelf import Prefix
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track
from ttsops.errors import NoEos, NoSpeech, TtsOpsError
from ttsops.speech import Samples


class Utterance:
    """`begin` gives a track in the utterance's slot, once its prefix [L, 2, G, P, D] is there.

    `noises` gives the noise of each further try that `watch` grants.
    """

    def __init__(
        self,
        slots: DialogueSlots,
        slot: int,
        prefix: Prefix,
        begin: Callable[[Tensor], Track],
        watch: Watch,
        noises: Iterator[NoiseSource],
        *,
        is_bound_the_end: bool,
    ) -> None:
        self.slot: int | None = slot
        self.is_done = False
        self._slots = slots
        self._prefix: Prefix | None = prefix
        self._begin = begin
        self._watch = watch
        self._noises = noises
        self._is_bound_the_end = is_bound_the_end
        self._track: Track | None = None
        self._place: Place | None = None
        self._held: deque[Samples] = deque()
        self._is_made = False
        self._error: TtsOpsError | None = None
        self._last_token: Token | None = None
        self._saved_at = 0

    @property
    def unfinished(self) -> Prefix | None:
        """What has to be made before it can speak; others may wait for the same."""
        return self._prefix if self._prefix and not self._prefix.memory.is_done else None

    @property
    def is_made(self) -> bool:
        """Nothing more comes from the model; what was held may still leave, with `give`."""
        return self._is_made

    @property
    def track(self) -> Track:
        """Only once nothing is unfinished."""
        if self._track is None:
            assert self._prefix is not None
            self._track = self._begin(self._prefix.memory.result)
            self._prefix = None
        return self._track

    @property
    def is_at_pause(self) -> bool:
        """A segment has just ended, and nothing is held back."""
        return self._last_token == "audio_eos" and not self._held and not self._is_made

    def save(self, folder: Path, number: int) -> None:
        """Where it stands at a pause."""
        watch = self._watch
        extra = counts(self.track.position, watch.has_spoken, watch.n_tries_left, watch.n_noisy)
        save_checkpoint(self._slots, self.track, extra, folder, number, self._saved_at)
        self._saved_at = self.track.position

    def go_on_from(self, folder: Path, number: int) -> None:
        """To where it was saved, before its first step."""
        extra = restore_checkpoint(self._slots, self.track, folder, number)
        self._saved_at, has_spoken, n_tries_left, n_noisy = extra.tolist()
        for _ in range(self._watch.n_tries_left - n_tries_left):
            next(self._noises)  # of tries that were made
        self._watch.has_spoken, self._watch.n_tries_left = bool(has_spoken), n_tries_left
        self._watch.n_noisy = n_noisy

    def take(self, outcome: Outcome) -> Step:
        """What a step did."""
        self._last_token = outcome.token
        step = self._end(outcome) if outcome.end else self._go_on(outcome)
        step.faults = self._watch.taken_faults()
        return step

    def give(self) -> Step:
        """The next of the frames that were held to the end."""
        if self._held:
            return Step(self._held.popleft())
        self.is_done = True
        return Step(error=self._error) if self._error else Step(is_done=True)

    def _go_on(self, outcome: Outcome) -> Step:
        if outcome.token != "audio":
            is_mark = outcome.token is not None
            return self._follow(self._watch.take_mark()) if is_mark else Step()
        samples = np.clip(outcome.samples, -1.0, 1.0)
        verdict = self._watch.take(samples)
        if verdict != "again":
            self._held.append(samples)
        if verdict == "keep":
            self._place = keep_place(self._slots, self.track)
        return self._follow(verdict)

    def _end(self, outcome: Outcome) -> Step:
        watch = self._watch
        if outcome.end == "eos":
            verdict = watch.take_end(self.track.n_frames)
        elif self._is_bound_the_end:
            verdict = "release"
        else:
            verdict = watch.take_no_end()
            self._error = self._no_end()
        if verdict == "again":
            self._error = None
            return self._follow(verdict)
        if watch.guarding != "off" and not watch.has_spoken and self.track.n_frames and not self._error:
            self._error = NoSpeech(
                "only silence or noise was made of this text",
                hint="another seed, a longer text, or another voice",
                param="text",
            )
        self._is_made = True
        if watch.holds_all and self._error:
            self._held.clear()
        rest = Step() if watch.holds_all else self._release()
        return rest if len(rest.samples) else self.give()

    def _follow(self, verdict: Verdict) -> Step:
        if verdict == "again":
            self._try_again()
            return Step()
        return Step() if verdict == "hold" else self._release()

    def _release(self) -> Step:
        if not self._held:
            return Step()
        samples = np.concatenate(self._held)
        self._held.clear()
        return Step(samples)

    def _try_again(self) -> None:
        self._held.clear()
        self.track.noise = next(self._noises)
        if self._watch.holds_all or self._place is None:
            go_to_beginning(self._slots, self.track)
        else:
            go_back(self._slots, self.track, self._place)

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
