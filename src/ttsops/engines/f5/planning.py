"""A text into chunks that sound soon: a short one first, then longer ones, each with its duration.

A clause is never cut where it fits. What is longer than a chunk may be is cut between words, and where there
are none, between characters as readers count them.
"""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass

from ttsops.engines.f5.chunks import n_bytes
from ttsops.engines.f5.durations import VoicePace, duration_frames
from ttsops.errors import InvalidValue
from ttsops.text import split_phrases

FIRST_BYTES = 48
"""Of the first chunk, at most: about three seconds of English."""

GROWTH = 2
"""Each chunk may have so many times the bytes of the one before: it is made while that one is heard."""

RECOMMENDED_FRAMES = 2812
"""30 s of reference and speech together: what the model was trained on."""

MAX_FRAMES = 8192
"""The published model has no positions beyond."""

_SENTENCE_ENDS = tuple(".!?…。！？")
_CLOSERS = "\"'”’»)]）】」』*_ \t\n"
_FIRST_WIDE = 0x2E80
_LOOK_AHEAD = 64
"""Characters that decide whether a cut would divide what readers see as one."""

ENOUGH = 4
"""A chunk that is shorter than this part of what it may have is filled up with words of the next clause."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is spoken in one go."""

    text: str
    frames: int
    """Of reference and speech together."""


def plan_chunks(
    text: str,
    pace: VoicePace,
    speed: float = 1.0,
    *,
    n_before: int = 0,
    first_bytes: int = FIRST_BYTES,
    max_frames: int = RECOMMENDED_FRAMES,
) -> list[Chunk]:
    """The chunks of `text`; none if it is blank. Joined, they have every character of it but white space.

    `n_before` chunks of the same utterance came before, so that this one may be longer. `first_bytes` bounds
    the first one (UTF-8), `max_frames` all of them; a single character may exceed either. Raises
    `InvalidValue` for limits that cannot be kept.
    """
    if not pace.frames < max_frames <= MAX_FRAMES:
        raise InvalidValue(
            f"{max_frames} frames of reference and speech: must be more than the {pace.frames} of the "
            f"reference, and at most {MAX_FRAMES}"
        )
    if first_bytes < 1:
        raise InvalidValue(f"a first chunk of {first_bytes} bytes: must be at least 1")
    planner = _Planner(pace, speed, n_before, first_bytes, max_frames)
    return planner.plan(text)


class _Planner:
    """Clauses taken together until the next one does not fit."""

    def __init__(
        self, pace: VoicePace, speed: float, n_before: int, first_bytes: int, max_frames: int
    ) -> None:
        self._pace = pace
        self._speed = speed
        self._max_frames = max_frames
        self._max_bytes = first_bytes * GROWTH ** min(n_before, 16)
        self._chunks: list[Chunk] = []

    def plan(self, text: str) -> list[Chunk]:
        clauses = deque(split_phrases(text, max(len(text), 1), min_chars=1))
        taken: list[str] = []
        while clauses:
            clause = clauses.popleft()
            if self._fits("".join([*taken, clause])):
                taken.append(clause)
                continue
            if self._is_enough("".join(taken)):
                n_kept = _n_to_last_sentence(taken)
                clauses.extendleft(reversed([*taken[n_kept:], clause]))
                taken = taken[:n_kept]
            else:
                head = self._head("".join(taken), clause)
                taken.append(head)
                clauses.appendleft(clause[len(head) :])
            self._give("".join(taken))
            taken = []
        self._give("".join(taken))
        return self._chunks

    def _give(self, text: str) -> None:
        if text := _speakable(text):
            self._chunks.append(Chunk(text, self._frames(text)))
            self._max_bytes *= GROWTH

    def _fits(self, text: str) -> bool:
        text = _speakable(text)
        return n_bytes(text) <= self._max_bytes and self._frames(text) <= self._max_frames

    def _is_enough(self, text: str) -> bool:
        """Of the bytes or of the time that a chunk may have."""
        text = _speakable(text)
        if n_bytes(text) * ENOUGH >= self._max_bytes:
            return True
        n_reference = self._pace.frames
        return (self._frames(text) - n_reference) * ENOUGH >= self._max_frames - n_reference

    def _frames(self, text: str) -> int:
        return duration_frames(text, self._pace, self._speed)

    def _head(self, before: str, clause: str) -> str:
        """As much of `clause` as fits after `before`; nothing if a word would be cut for no need."""
        is_needed = not before.strip()
        sizes = range(1, len(clause) + 1)
        n_fitting = bisect.bisect_left(sizes, True, key=lambda n: not self._fits(before + clause[:n]))
        if not n_fitting:
            return clause[:1] if is_needed else ""
        head = split_phrases(clause[: n_fitting + _LOOK_AHEAD], n_fitting)[0]
        return head if is_needed or _is_word_border(head, clause) else ""


def _speakable(text: str) -> str:
    """Line breaks and runs of blanks as one blank, none at the ends."""
    return " ".join(text.split())


def _n_to_last_sentence(clauses: list[str]) -> int:
    """How many of them make whole sentences, if that is half of the text; else all."""
    for n_kept in range(len(clauses), 0, -1):
        kept = "".join(clauses[:n_kept])
        if 2 * len(kept) < len("".join(clauses)):
            break
        if kept.rstrip(_CLOSERS).endswith(_SENTENCE_ENDS):
            return n_kept
    return len(clauses)


def _is_word_border(head: str, clause: str) -> bool:
    """Scripts without blanks may be cut after every character."""
    after = clause[len(head) : len(head) + 1]
    return not after or after.isspace() or head[-1].isspace() or ord(head[-1]) >= _FIRST_WIDE
