"""The text side of one utterance on a socket: pieces come in, segments to be spoken go out.

A segment is what one stream speaks. It may grow while it is spoken (`split_granularity` `none`), or it is a
whole sentence or clause. Knows nothing of sockets, engines or audio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ttsops.errors import Cancelled, TextTooLong, TtsOpsError
from ttsops.runtime import Segment, Stream
from ttsops.server.orders import Order
from ttsops.server.protocol import SessionConfig
from ttsops.speech import SpeechRequest
from ttsops.text import PhraseSplitter, SentenceSplitter, SpeakableText

OpenStream = Callable[[SpeechRequest], Awaitable[Stream]]


class Utterance:
    """From its first `input.text` to `input.done` or `input.cancel`."""

    def __init__(
        self, index: int, order: Order, config: SessionConfig, *, language: str, max_chars: int
    ) -> None:
        self.index = index
        self.order = order
        self.config = config
        self.segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        """What to speak next; None when nothing follows."""
        self.error: TtsOpsError | None = None
        """Why it ended early: its mistake, a failure, or `Cancelled`."""
        self.is_done = False
        """All of its text is here."""
        self.is_promised = False
        """It is spoken to its end, even if the server is told to stop meanwhile."""
        self._language = language
        self._max_chars = max_chars
        self._n_chars = 0
        self._speakable = self._new_speakable()
        self._splitter = self._new_splitter()
        self._growing: Segment | None = None
        self._held = ""
        self._speaking: Segment | None = None
        self._opening: asyncio.Task[Stream] | None = None

    # ---- text in -----------------------------------------------------------------------

    def expect(self, n_chars: int) -> None:
        """So much more text is about to come. Raises `TextTooLong`."""
        self._n_chars += n_chars
        if self._n_chars > self._max_chars:
            raise TextTooLong(
                f"more than {self._max_chars} characters in one utterance",
                param="text",
                hint="send `input.done` and go on in another one",
            )

    def feed(self, text: str) -> None:
        """A piece of text; after an error it is dropped. Raises `TextTooLong` past the engine's limit."""
        if self.error is None:
            self._take(self._speakable.feed(text))

    def flush(self) -> None:
        """Everything so far is to be spoken now."""
        if self.error is not None:
            return
        self._take(self._speakable.end())
        self._speakable = self._new_speakable()
        if self._splitter is not None:
            for piece in self._splitter.end():
                self._emit_whole(piece)
            self._splitter = self._new_splitter()
        if self._growing is not None:
            self._growing.end()
            self._growing = None

    def done(self) -> None:
        """Its text is complete."""
        self.flush()
        self.is_done = True
        self.segments.put_nowait(None)

    def _take(self, text: str) -> None:
        if self._splitter is not None:
            for piece in self._splitter.feed(text):
                self._emit_whole(piece)
        elif self._growing is not None:
            self._growing.feed(text)
        elif spoken := self._with_held(text):
            self._growing = Segment(spoken)
            self.segments.put_nowait(self._growing)

    def _emit_whole(self, piece: str) -> None:
        if spoken := self._with_held(piece):
            self.segments.put_nowait(Segment(spoken, is_ended=True))

    def _with_held(self, text: str) -> str:
        """White space alone is nothing to speak: it waits for what follows it."""
        self._held += text
        if not self._held.strip():
            return ""
        spoken, self._held = self._held, ""
        return spoken

    # ---- ending early ------------------------------------------------------------------

    def fail(self, error: TtsOpsError) -> None:
        """It ends here: nothing more is spoken, and text that still comes is dropped."""
        if self.error is not None:
            return
        self._end(error, "error")
        self.segments.put_nowait(Segment(is_ended=True))  # wakes the speaker, who tells the client

    def cancel(self, reason: str) -> None:
        """It falls silent, and its text ends."""
        if self.error is None:
            self._end(Cancelled(f"cancelled ({reason})"), reason)
        if not self.is_done:
            self.is_done = True
            self.segments.put_nowait(None)

    def _end(self, error: TtsOpsError, reason: str) -> None:
        self.error = error
        if self._speaking is not None:
            self._speaking.cancel(reason)
        if self._opening is not None:
            self._opening.cancel()

    # ---- for the speaker ---------------------------------------------------------------

    async def open(self, segment: Segment, open_stream: OpenStream) -> Stream:
        """A stream that speaks `segment`, whose text flows into it from now on.

        Raises what `open_stream` raises, or why the utterance ended while it waited for a place.
        """
        self._opening = asyncio.create_task(self._open(segment, open_stream))
        try:
            return await self._opening
        except asyncio.CancelledError:
            segment.cancel("hangup")  # it may have come in the very moment of the cancellation
            task = asyncio.current_task()
            if self.error is not None and not (task and task.cancelling()):
                raise self.error from None
            raise
        finally:
            self._opening = None

    async def _open(self, segment: Segment, open_stream: OpenStream) -> Stream:
        text = segment.text
        stream = await open_stream(self.order.request(text, is_text_complete=segment.is_ended))
        # No `await` from here on: whoever ends the utterance now finds the stream.
        self._speaking = segment
        try:
            segment.attach(stream, len(text))
        except TtsOpsError:
            stream.cancel("error")
            raise
        return stream

    def spoken(self) -> None:
        """The segment that was opened last is over."""
        self._speaking = None

    def _new_speakable(self) -> SpeakableText:
        return SpeakableText(self._language, self.order.text_options)

    def _new_splitter(self) -> SentenceSplitter | None:
        granularity = self.config.split_granularity
        if granularity == "none":
            return None
        return SentenceSplitter() if granularity == "sentence" else PhraseSplitter()
