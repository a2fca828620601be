"""Text for one stream that may come before there is a place for it: it waits here, and then flows through."""

from __future__ import annotations

from ttsops.runtime.stream import Stream


class Segment:
    """Text for one stream. It is given a stream once, and from then on text goes straight into it."""

    def __init__(self, text: str = "", *, is_ended: bool = False) -> None:
        self.text = text
        """All of it so far."""
        self.is_ended = is_ended
        self._stream: Stream | None = None

    def feed(self, text: str) -> None:
        """More text. Raises `TextTooLong` past the engine's limit."""
        self.text += text
        if self._stream is not None:
            self._stream.append(text)

    def end(self) -> None:
        """No more text."""
        self.is_ended = True
        if self._stream is not None:
            self._stream.end()

    def attach(self, stream: Stream, n_given: int) -> None:
        """`stream` was opened with the first `n_given` characters: pass on what came since."""
        self._stream = stream
        if n_given < len(self.text):
            stream.append(self.text[n_given:])
        if self.is_ended and not stream.request.is_text_complete:
            stream.end()

    def cancel(self, reason: str) -> None:
        """Its stream ends now, if it has one."""
        if self._stream is not None:
            self._stream.cancel(reason)
