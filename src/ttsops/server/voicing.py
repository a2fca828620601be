"""The audio side of a socket: one continuous audio, from its `audio.start` to its `audio.done`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ttsops.audio import Encoder
from ttsops.runtime import Stream
from ttsops.server.encoding import EncoderPool, encoder_for
from ttsops.server.orders import Order
from ttsops.server.protocol import AudioDone, AudioMarks, AudioStart, ServerMessage, WordMark
from ttsops.speech import SAMPLE_RATE, AudioChunk, Mark, Samples

SendEvent = Callable[[ServerMessage], Awaitable[None]]
SendFrame = Callable[[bytes], Awaitable[None]]


class Voicing:
    """Several streams may follow each other in it (after `input.flush`): the listener hears one audio."""

    def __init__(
        self,
        order: Order,
        *,
        utterance_index: int,
        sentence_index: int,
        streams_audio: bool,
        sends_marks: bool,
        encoders: EncoderPool,
        send_event: SendEvent,
        send_frame: SendFrame,
    ) -> None:
        self.is_started = False
        self.utterance_index = utterance_index
        self.sentence_index = sentence_index
        self._order = order
        self._streams_audio = streams_audio
        self._sends_marks = sends_marks
        self._encoders = encoders
        self._send_event = send_event
        self._send_frame = send_frame
        self._encoder: Encoder | None = None
        self._kept: list[Samples] = []
        self._kept_marks: list[WordMark] = []
        self._n_samples = 0
        self._n_chars = 0
        self._n_bytes = 0
        self._offset_seconds = 0.0
        self._offset_chars = 0

    async def begin(self, stream: Stream, text: str) -> None:
        """A stream is about to be heard. The first one starts the audio; the others continue it."""
        self._offset_seconds = self._n_samples / SAMPLE_RATE
        self._offset_chars = self._n_chars
        if self.is_started:
            return
        self.is_started = True
        self._encoder = encoder_for(stream, self._order.format) if self._streams_audio else None
        self._stream = stream
        await self._send_event(
            AudioStart(
                utterance_index=self.utterance_index,
                sentence_index=self.sentence_index,
                sentence_text=text,
                format=self._order.format,
                sample_rate=SAMPLE_RATE,
                engine=stream.engine,
                voice=stream.request.voice,
                is_failover=stream.is_failover,
                ignored=self._order.ignored,
            )
        )

    async def hear(self, chunk: AudioChunk) -> bool:
        """Samples of the stream that was begun; True if a frame left."""
        self._n_samples += len(chunk.samples)
        if self._sends_marks and chunk.marks:
            marks = [self._place(mark) for mark in chunk.marks]
            if self._encoder is None:
                self._kept_marks += marks
            else:
                await self._send_marks(marks)
        if self._encoder is None:
            self._kept.append(chunk.samples)
            return False
        return await self._send(await self._encoders.encode(self._encoder, chunk.samples))

    def end_stream(self, n_chars: int) -> None:
        """The stream is over; its text had `n_chars` characters."""
        self._n_chars += n_chars

    async def end(self, *, has_failed: bool = False, is_cancelled: bool = False) -> None:
        """The last frame, and `audio.done`. What broke off has no last frame."""
        is_whole = not has_failed and not is_cancelled
        if is_whole and self._encoder is not None:
            await self._send(self._encoder.finish())
        elif is_whole:
            encoder = encoder_for(self._stream, self._order.format, total_samples=self._n_samples)
            content = await self._encoders.encode_all(encoder, self._kept)
            if self._kept_marks:
                await self._send_marks(self._kept_marks)
            await self._send(content)
        await self._send_event(
            AudioDone(
                utterance_index=self.utterance_index,
                sentence_index=self.sentence_index,
                total_bytes=self._n_bytes,
                error=has_failed,
                audio_seconds=round(self._n_samples / SAMPLE_RATE, 6),
                cancelled=is_cancelled,
            )
        )

    async def _send(self, data: bytes) -> bool:
        if data:
            self._n_bytes += len(data)
            await self._send_frame(data)
        return bool(data)

    async def _send_marks(self, marks: list[WordMark]) -> None:
        await self._send_event(
            AudioMarks(
                utterance_index=self.utterance_index, sentence_index=self.sentence_index, marks=tuple(marks)
            )
        )

    def _place(self, mark: Mark) -> WordMark:
        return WordMark(
            start_seconds=mark.start_seconds + self._offset_seconds,
            text_start=mark.text_start + self._offset_chars,
            text_length=mark.text_length,
            kind=mark.kind,
        )
