"""How a stream's text reaches its engine: whole or in pieces as it comes, or sentence by sentence.

Both feeds hold one engine utterance at a time and close it. They know nothing of schedules or sockets.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Protocol

from ttsops.engines.contract import Engine, Step, Utterance
from ttsops.speech import Mark, SpeechRequest
from ttsops.text import SentenceSplitter


class Feed(Protocol):
    """The text side of one stream."""

    utterance: Utterance | None
    """What to step now; None while there is nothing to say."""

    def append(self, text: str) -> None:
        """More text."""
        ...

    def end(self) -> None:
        """No more text."""
        ...

    def after(self, step: Step, n_samples: int) -> bool:
        """Account for a step that gave `n_samples`; True when the stream has said everything."""
        ...

    def place(self, mark: Mark) -> Mark:
        """A mark of the current utterance as a mark of the stream."""
        ...

    def close(self) -> None:
        """Free the engine's state."""
        ...


def make_feed(engine: Engine, request: SpeechRequest) -> Feed:
    """The feed that `engine` needs for `request`; opens the first utterance."""
    if request.is_text_complete or engine.card.takes_text_in_pieces:
        return WholeFeed(engine, request)
    return SentenceFeed(engine, request)


class WholeFeed:
    """One utterance, to which pieces are passed on as they come."""

    def __init__(self, engine: Engine, request: SpeechRequest) -> None:
        self._engine = engine
        self.utterance: Utterance | None = engine.open(request)

    def append(self, text: str) -> None:
        """More text."""
        self._engine.append(self.utterance, text)

    def end(self) -> None:
        """No more text."""
        self._engine.end(self.utterance)

    def after(self, step: Step, n_samples: int) -> bool:
        """True when the utterance is done."""
        return step.is_done

    def place(self, mark: Mark) -> Mark:
        """The same mark: stream and utterance are one."""
        return mark

    def close(self) -> None:
        """Free the engine's state."""
        if self.utterance is not None:
            self._engine.close(self.utterance)
            self.utterance = None


class SentenceFeed:
    """Whole sentences, each an utterance of its own, opened once complete and once the one before is done."""

    def __init__(self, engine: Engine, request: SpeechRequest) -> None:
        self._engine = engine
        self._request = replace(request, text="", is_text_complete=True)
        self._splitter = SentenceSplitter()
        self._sentences: deque[tuple[int, str]] = deque()
        self._n_chars = 0
        self._n_samples = 0
        self._is_ended = False
        self._text_start = 0
        self._start_seconds = 0.0
        self.utterance: Utterance | None = None
        self.append(request.text)

    def append(self, text: str) -> None:
        """More text; opens an utterance when that completes a sentence and none is speaking."""
        self._queue(self._splitter.feed(text))

    def end(self) -> None:
        """No more text: what is left is a sentence, too."""
        self._is_ended = True
        self._queue(self._splitter.end())

    def after(self, step: Step, n_samples: int) -> bool:
        """Go on to the next sentence when one is done; True after the last."""
        self._n_samples += n_samples
        if step.is_done:
            self.close()
            self._open_next()
        return self.is_done

    @property
    def is_done(self) -> bool:
        """Nothing speaks, nothing waits, nothing will come."""
        return self._is_ended and self.utterance is None

    def place(self, mark: Mark) -> Mark:
        """Shifted by the text and audio before this sentence."""
        return replace(
            mark,
            start_seconds=mark.start_seconds + self._start_seconds,
            text_start=mark.text_start + self._text_start,
        )

    def close(self) -> None:
        """Free the engine's state."""
        if self.utterance is not None:
            utterance, self.utterance = self.utterance, None
            self._engine.close(utterance)

    def _queue(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if sentence.strip():
                self._sentences.append((self._n_chars, sentence))
            self._n_chars += len(sentence)
        if self.utterance is None:
            self._open_next()

    def _open_next(self) -> None:
        if self._sentences:
            self._text_start, sentence = self._sentences.popleft()
            self._start_seconds = self._n_samples / self._engine.card.sample_rate
            self.utterance = self._engine.open(replace(self._request, text=sentence))
