"""One utterance: text into phrases, and the audio and word events of a phrase into samples and marks.

Knows nothing of the lane or the library; places and times count over all phrases.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

import numpy as np

from ttsops.engines.contract import NO_SAMPLES
from ttsops.engines.espeak.card import SAMPLE_RATE
from ttsops.engines.espeak.lane import Heard, Phrase
from ttsops.engines.espeak.library import Delivery
from ttsops.speech import Mark, Samples
from ttsops.text import PhraseSplitter

MAX_PHRASE_CHARS = 160
"""About 10 s of audio, made in some 10 ms: the longest a listener waits for another's phrase."""

_UNSPEAKABLE = re.compile("[\0-\x08\x0e-\x1f\x7f\ud800-\udfff]")
"""NUL would end the text, \\x01 starts a command of the library, and half a surrogate pair has no UTF-8."""

_TOKEN = re.compile(r"\S+")
_INNER = re.compile(r"\w(?:.*\w)?", re.DOTALL)


class EspeakUtterance:
    """Its text, split; the phrase in the lane; what was said so far."""

    def __init__(self, delivery: Delivery) -> None:
        self.phrase: Phrase | None = None
        self.is_text_complete = False
        self._delivery = delivery
        # The library takes a text clause by clause, too: cutting at each loses nothing.
        self._splitter = PhraseSplitter(MAX_PHRASE_CHARS, min_chars=1)
        self._texts: deque[str] = deque()
        self._n_chars_before = 0
        """Characters of all phrases before the one in the lane."""

        self._n_samples = 0
        self._n_samples_before = 0
        self._held: Samples | None = NO_SAMPLES
        """Audio before the first word of all: silence, given only if a word follows. None once one has."""

        self._last_token = -1

    def feed(self, text: str) -> None:
        """More text."""
        self._texts.extend(self._splitter.feed(text))

    def end(self) -> None:
        """No more text."""
        self._texts.extend(self._splitter.end())
        self.is_text_complete = True

    @property
    def is_waiting(self) -> bool:
        """Every phrase there is has been said."""
        return self.phrase is None and not self._texts

    @property
    def is_done(self) -> bool:
        """So has all the text there will be."""
        return self.is_waiting and self.is_text_complete

    def next_phrase(self) -> Phrase | None:
        """The phrase to speak now, a new one if the last has ended; None while there is no text."""
        if self.phrase is None and self._texts:
            text = self._texts.popleft()
            is_last = self.is_text_complete and not self._texts
            speakable = _UNSPEAKABLE.sub(" ", text)
            has_end_pause = not is_last and _ends_clause(text)
            self.phrase = Phrase(speakable, self._delivery, has_end_pause=has_end_pause)
        return self.phrase

    def hear(self, parts: Sequence[Heard], *, is_ended: bool) -> tuple[Samples, tuple[Mark, ...]]:
        """Samples and marks of these parts of the phrase in the lane, which has ended with them or not."""
        assert self.phrase
        text = self.phrase.text
        words = [word for part in parts for word in part.words]
        marks = tuple(mark for word in words for mark in self._mark(text, word.text_position, word.sample))
        pcm = np.frombuffer(b"".join(part.samples for part in parts), "<i2")
        samples = self._release(pcm.astype(np.float32) / np.float32(32768), has_word=bool(words))
        if is_ended:
            self._n_chars_before += len(text)
            self._n_samples_before = self._n_samples
            self.phrase = None
        return samples, marks

    def _release(self, samples: Samples, *, has_word: bool) -> Samples:
        self._n_samples += len(samples)
        if self._held is None:
            return samples
        self._held = np.concatenate([self._held, samples])
        if not has_word:
            return NO_SAMPLES
        samples, self._held = self._held, None
        return samples

    def _mark(self, text: str, position: int, sample: int) -> list[Mark]:
        """The word of the text that the library means: it reports halves of words, and digits twice."""
        token = next((one for one in _TOKEN.finditer(text) if one.start() <= position < one.end()), None)
        if token is None or self._n_chars_before + token.start() <= self._last_token:
            return []
        self._last_token = self._n_chars_before + token.start()
        inner = _INNER.search(text, token.start(), token.end())
        start, end = inner.span() if inner else token.span()
        start_seconds = (self._n_samples_before + sample) / SAMPLE_RATE
        return [Mark(start_seconds, self._n_chars_before + start, end - start)]


def _ends_clause(text: str) -> bool:
    """Whether a pause follows: after a mark or a heading without one, not in a clause cut for length."""
    return not text[-1:].isalnum() or len(text) < MAX_PHRASE_CHARS // 2
