"""What of an answer was really heard: counted in samples, and told in characters.

A listener plays at normal pace from the first sound on. Which word that pace has reached is known from the
engine's marks; where there are none, from the length of pieces that are complete, and from the pace of those
before. Words that were not heard to their end do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ttsops.speech import SAMPLE_RATE, Mark

CHARS_PER_SECOND = 15.0
"""Of speech, while nothing is known of this voice."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """So much text had been said when so much audio was over."""

    seconds: float
    chars: int


class SpokenLedger:
    """One turn's. Times are readings of one clock, in seconds."""

    def __init__(self) -> None:
        self.text = ""
        """Everything given to be spoken, as it is spoken."""

        self.n_samples = 0
        """Everything that left for the listener."""

        self._marks: list[Mark] = []
        self._anchors = [_Anchor(0.0, 0)]
        self._dry_at: float | None = None

    @property
    def seconds(self) -> float:
        """Playing time of what left."""
        return self.n_samples / SAMPLE_RATE

    def give(self, text: str) -> None:
        """More to be spoken."""
        self.text += text

    def leave(self, now: float, n_samples: int, marks: Sequence[Mark] = ()) -> None:
        """So many samples left at `now`; marks count from the turn's first sample and character."""
        self._dry_at = max(now, self._dry_at or now) + n_samples / SAMPLE_RATE
        self.n_samples += n_samples
        self._marks += marks

    def complete(self, n_chars: int) -> None:
        """The audio of the first `n_chars` characters has left."""
        self._anchors.append(_Anchor(self.seconds, n_chars))

    def seconds_played(self, now: float) -> float:
        """What a player who began with the first sound has played by `now`."""
        left = 0.0 if self._dry_at is None else max(0.0, self._dry_at - now)
        return max(0.0, self.seconds - left)

    def is_playing(self, now: float) -> bool:
        """Something that left is not yet played."""
        return self._dry_at is not None and now < self._dry_at

    def text_at(self, seconds: float) -> str:
        """What was said when `seconds` had been played."""
        before = max((one for one in self._anchors if one.seconds <= seconds), key=lambda one: one.chars)
        after = next((one for one in self._anchors if one.seconds > seconds), None)
        marks = [mark for mark in self._marks if mark.text_start >= before.chars and mark.kind == "word"]
        if marks and (after is None or marks[0].text_start < after.chars):
            ends = [mark.start_seconds for mark in marks[1:]]
            heard = [mark for mark, end in zip(marks, ends, strict=False) if end <= seconds]
            chars = heard[-1].text_start + heard[-1].text_length if heard else before.chars
            return self.text[: max(before.chars, chars)].strip()
        chars = before.chars + int((seconds - before.seconds) * self._pace(before, after))
        return self._whole_words(min(chars, len(self.text)), before.chars)

    def _pace(self, before: _Anchor, after: _Anchor | None) -> float:
        """Characters per second around there."""
        if after is not None:
            return (after.chars - before.chars) / (after.seconds - before.seconds)
        return before.chars / before.seconds if before.seconds else CHARS_PER_SECOND

    def _whole_words(self, n_chars: int, at_least: int) -> str:
        text = self.text[:n_chars]
        if n_chars < len(self.text) and not self.text[n_chars].isspace():
            text = text[: -len(text.split()[-1])] if text.strip() and not text[-1].isspace() else text
        return self.text[: max(at_least, len(text))].strip()
