"""One utterance of the engine: its text over one or several contexts, and its audio on the way out.

A text too long for one context goes on in the next, begun with the same voice at the end of a sentence; the
audio of the two is cross-faded.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import numpy as np

from ttsops.audio import crossfade
from ttsops.engines.contract import NO_SAMPLES, Step
from ttsops.engines.nn.qwen_tokenizer import Tokenizer
from ttsops.engines.vibevoice_realtime.contexts import ContextCutter
from ttsops.engines.vibevoice_realtime.generate import Outcome
from ttsops.engines.vibevoice_realtime.tokens import TextTokens
from ttsops.engines.vibevoice_realtime.track import Track
from ttsops.errors import NoEos
from ttsops.speech import Samples

logger = logging.getLogger(__name__)

FADE_SAMPLES = 1200
"""50 ms: audio of two contexts is mixed over so much."""

WARN_AT = 0.9
"""Share of a context's positions after which its end is announced in the log."""


class Utterance:
    """Text in, steps out. `begin` gives a track at the start of a fresh context in the utterance's slot."""

    def __init__(
        self, slot: int, tokenizer: Tokenizer, cutter: ContextCutter, begin: Callable[[], Track]
    ) -> None:
        self.slot: int | None = slot
        self.is_done = False
        self._tokenizer = tokenizer
        self._cutter = cutter
        self._begin = begin
        self._contexts = deque([TextTokens(tokenizer)])
        self._is_text_complete = False
        self._has_warned = False
        self._seam = Seam()
        self.track = begin()

    def feed(self, text: str) -> None:
        """More text."""
        for part, is_cut in self._cutter.feed(text):
            self._contexts[-1].feed(part)
            if is_cut:
                self._contexts[-1].end()
                self._contexts.append(TextTokens(self._tokenizer))

    def end(self) -> None:
        """No more text will come."""
        self._is_text_complete = True
        self._contexts[-1].end()

    def prepare(self) -> bool:
        """Tokenise what the next window needs; False if there is nothing to say."""
        windows, tokens = self.track.windows, self._contexts[0]
        while windows.wants_ids and (ids := tokens.next_ids()) is not None:
            windows.feed(ids)
        if tokens.is_exhausted:
            windows.end()
        self.is_done = self.is_done or (tokens.is_exhausted and tokens.is_blank)
        return not self.is_done

    def take(self, outcome: Outcome) -> Step:
        """What a step did."""
        if outcome.is_starved:
            return Step(needs_text=True)
        if outcome.end:
            return self._end_context(outcome.end)
        self._watch_length()
        return Step(self._seam.pass_on(np.clip(outcome.samples, -1.0, 1.0), self._may_end_in_a_seam))

    @property
    def _may_end_in_a_seam(self) -> bool:
        """Any frame may be the last of this context, and another context follows."""
        return len(self._contexts) > 1 and self.track.windows.is_all_read

    def _watch_length(self) -> None:
        track = self.track
        if not self._has_warned and track.speech_position > WARN_AT * track.max_positions:
            self._has_warned = True
            logger.warning(
                "a context is nearly full: %d of %d positions", track.speech_position, track.max_positions
            )

    def _end_context(self, reason: str) -> Step:
        if reason == "length":
            logger.warning("no end of speech after %d frames of a context", self.track.n_frames)
        if len(self._contexts) > 1:
            self._contexts.popleft()
            self._has_warned = False
            self._seam.join_next()
            self.track = self._begin()
            return Step()
        if reason == "length":
            error = NoEos(
                f"no end of speech after {self.track.n_frames} frames",
                hint="another seed, or a text with at least a few words",
            )
            return Step(error=error)
        self.is_done = True
        return Step(self._seam.finish(), is_done=True)


class Seam:
    """Holds back the end of each frame that may be the last of a context, to fade it into the next one."""

    def __init__(self) -> None:
        self._held: Samples = NO_SAMPLES
        self._is_joining = False

    def pass_on(self, samples: Samples, is_held: bool) -> Samples:
        """The next frame's samples, behind what was held, less what is held now."""
        joined = crossfade(self._held, samples, FADE_SAMPLES if self._is_joining else 0)
        self._is_joining = False
        n_held = min(FADE_SAMPLES, len(joined)) if is_held else 0
        out, self._held = np.split(joined, [len(joined) - n_held])
        return out

    def join_next(self) -> None:
        """The context has ended: what is held fades into the next frame."""
        self._is_joining = True

    def finish(self) -> Samples:
        """What is still held."""
        held, self._held = self._held, NO_SAMPLES
        return held
