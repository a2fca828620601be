"""Speech as the answer to one HTTP request: raw audio, server-sent events, or a whole file.

The status is sent with the first audio, so that whatever goes wrong before has a real status. What goes
wrong after it is said in band: as an event, or, where there is only audio, by cutting the connection so that
the body is visibly incomplete. A client that hangs up ends the utterance within one step.
"""

from __future__ import annotations

import base64
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ttsops.audio import CONTENT_TYPES, Format
from ttsops.errors import Cancelled, NoAudio, TtsOpsError
from ttsops.runtime import Stream
from ttsops.server.encoding import encoder_for
from ttsops.server.errors import body_of
from ttsops.server.hangup import EndsOnHangup
from ttsops.server.orders import Order, check_length
from ttsops.server.record import Record
from ttsops.server.state import ServerState, state_of
from ttsops.server.visit import visit_of
from ttsops.speech import SpeechRequest

CHARS_PER_TOKEN = 4
"""OpenAI's rule of thumb for text; the exact count of characters is in the usage, too."""

TOKENS_PER_SECOND = 20
"""Of audio: about what OpenAI bills for its speech; the exact seconds are in the usage, too."""

ALWAYS_HEADERS = {"cache-control": "no-store", "x-ttsops-synthetic": "true"}


class SpeechAnswer(Response, ABC):
    """Speaks one text to one client. A subclass says in what wrapping."""

    is_live = True
    """Somebody listens while it is made."""
    may_be_saved = False
    """Whoever receives it may be saving it: it is a file where the engine cannot make live streams."""
    has_error_in_band = False
    """The body says what broke it off. If not, it is never ended, and the server closes the connection."""

    def __init__(self, order: Order, text: str, *, route: str, param_names: Mapping[str, str]) -> None:
        self.order = order
        self.text = text
        self.background = None
        self._route = route
        self._param_names = param_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI wants it."""
        state, visit = state_of(scope), visit_of(scope)
        record = Record(state, request_id=visit.request_id, route=self._route, order=self.order)
        error: BaseException | None = None
        try:
            async with EndsOnHangup(receive) as listener:
                with visit.quota.utterance() if visit.quota else contextlib.nullcontext():
                    error = await self._speak(state, record, send)
            if listener.is_hung_up:
                error = Cancelled("the listener hung up")
            elif error is None or self.has_error_in_band:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except BaseException as raised:
            error = raised
            raise
        finally:
            record.close(error)

    async def _speak(self, state: ServerState, record: Record, send: Send) -> TtsOpsError | None:
        """Raises before anything was sent; afterwards gives back what cut it short."""
        try:
            request = await self._request(state, record)
            is_realtime = state.service(self.order.engine).card.is_realtime
            is_live = self.is_live and (is_realtime or not self.may_be_saved)
            stream = await state.runtime.open(request, engine=self.order.engine, is_live=is_live)
            record.opened(stream)
            async with stream:
                return await self.carry(state, stream, record, send)
        except TtsOpsError as error:
            error.param = self._param_names.get(error.param or "", error.param)
            raise

    async def _request(self, state: ServerState, record: Record) -> SpeechRequest:
        check_length(self.text, state.settings.server.max_text_chars)
        text = await self.order.speakable(self.text, state.service(self.order.engine))
        record.n_chars = len(text)
        return self.order.request(text)

    @abstractmethod
    async def carry(
        self, state: ServerState, stream: Stream, record: Record, send: Send
    ) -> TtsOpsError | None:
        """Send all of `stream` but the end of the body; the error if it broke off on the way."""

    def start(
        self, stream: Stream, content_type: str, more: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The message that begins the answer."""
        headers = {
            "content-type": content_type,
            **ALWAYS_HEADERS,
            "x-ttsops-engine": stream.engine,
            "x-ttsops-voice": stream.request.voice,
            **(more or {}),
        }
        if stream.is_failover:
            headers["x-ttsops-failover"] = "true"
        if self.order.ignored:
            headers["x-ttsops-ignored"] = as_header(self.order.ignored)
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        return {"type": "http.response.start", "status": 200, "headers": raw}


class StreamedAnswer(SpeechAnswer, ABC):
    """Sends each piece as soon as it is encoded."""

    content_type: str

    async def carry(
        self, state: ServerState, stream: Stream, record: Record, send: Send
    ) -> TtsOpsError | None:
        """Nothing is sent before there is audio."""
        encoder = encoder_for(stream, self.order.format)
        async with contextlib.aclosing(state.encoders.encoded(stream, encoder)) as pieces:
            first = await _first(pieces)
            await send(self.start(stream, self.content_type))
            await send(body_part(self.wrap(first)))
            record.sent_first_audio()
            try:
                async for data in pieces:
                    await send(body_part(self.wrap(data)))
            except TtsOpsError as error:
                await self.break_off(error, send)
                return error
            await self.finish(stream, record, send)
            return None

    @abstractmethod
    def wrap(self, data: bytes) -> bytes:
        """A piece of audio as it goes into the body."""

    async def finish(self, stream: Stream, record: Record, send: Send) -> None:
        """What follows the last audio."""

    async def break_off(self, error: TtsOpsError, send: Send) -> None:
        """Tell the client, if the body can say it."""


class AudioAnswer(StreamedAnswer):
    """Raw audio, chunked."""

    may_be_saved = True

    def __init__(self, order: Order, text: str, *, route: str, param_names: Mapping[str, str]) -> None:
        super().__init__(order, text, route=route, param_names=param_names)
        self.content_type = CONTENT_TYPES[order.format]

    def wrap(self, data: bytes) -> bytes:
        """As it is."""
        return data


class EventAnswer(StreamedAnswer):
    """OpenAI's `speech.audio.delta` and `speech.audio.done`, and an `error` event if it breaks off.

    https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event
    """

    content_type = "text/event-stream; charset=utf-8"
    has_error_in_band = True

    def wrap(self, data: bytes) -> bytes:
        """Base64 needs no escaping in JSON."""
        return b'data: {"type":"speech.audio.delta","audio":"' + base64.b64encode(data) + b'"}\n\n'

    async def finish(self, stream: Stream, record: Record, send: Send) -> None:
        """The usage, in OpenAI's units and in real ones."""
        n_input = -(-record.n_chars // CHARS_PER_TOKEN)
        n_output = -(-round(stream.stats.audio_seconds * 1000) * TOKENS_PER_SECOND // 1000)
        usage = {
            "input_tokens": n_input,
            "output_tokens": n_output,
            "total_tokens": n_input + n_output,
            "input_characters": record.n_chars,
            "audio_seconds": round(stream.stats.audio_seconds, 6),
        }
        await send(body_part(event_part({"type": "speech.audio.done", "usage": usage})))

    async def break_off(self, error: TtsOpsError, send: Send) -> None:
        """The error in the shape of every other one; OpenAI's clients raise it."""
        await send(body_part(event_part({"type": "error", "error": body_of(error)})))


class FileAnswer(SpeechAnswer):
    """A whole file: its true length, and what it took to make it in headers."""

    is_live = False

    async def carry(
        self, state: ServerState, stream: Stream, record: Record, send: Send
    ) -> TtsOpsError | None:
        """Nothing is sent before everything is there, so that every failure has a status."""
        content = await whole_file(state, stream, self.order.format)
        stats = stream.stats
        figures = {
            "content-length": str(len(content)),
            "x-ttsops-audio-seconds": f"{stats.audio_seconds:.6f}",
            "x-ttsops-queue-seconds": f"{stats.queue_wait_seconds:.6f}",
            "x-ttsops-first-audio-seconds": f"{stats.first_audio_seconds or 0.0:.6f}",
            "x-ttsops-synthesis-seconds": f"{stats.synthesis_seconds or 0.0:.6f}",
            "x-ttsops-rtf": f"{stats.rtf or 0.0:.6f}",
        }
        await send(self.start(stream, CONTENT_TYPES[self.order.format], figures))
        await send(body_part(content))
        return None


async def whole_file(state: ServerState, stream: Stream, fmt: Format) -> bytes:
    """All of `stream`; formats whose header says how long they are say it."""
    if fmt in (Format.WAV, Format.FLAC):
        chunks = [chunk.samples async for chunk in stream]
        encoder = encoder_for(stream, fmt, total_samples=sum(map(len, chunks)))
        return await state.encoders.encode_all(encoder, chunks)
    return b"".join([data async for data in state.encoders.encoded(stream, encoder_for(stream, fmt))])


async def _first(pieces: AsyncGenerator[bytes, None]) -> bytes:
    async for data in pieces:
        return data
    raise NoAudio("the engine gave no audio for this text")


def body_part(data: bytes) -> dict[str, Any]:
    """A piece of a body that goes on."""
    return {"type": "http.response.body", "body": data, "more_body": True}


def event_part(content: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


def as_header(names: tuple[str, ...]) -> str:
    """Names a client made up, fit for a header: printable ASCII, and not too many."""
    text = ", ".join(names[:32])
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:1024]
