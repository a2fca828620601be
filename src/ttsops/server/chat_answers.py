"""A spoken answer as the answer to one HTTP request: raw audio, events with text and audio, or a whole file.

As in `answers`: the status is sent with the first audio (or, of events, the first piece of text), so that
what goes wrong before has a real status; later it is said in band, or the body is left without its end. A
client that hangs up interrupts the turn, and the conversation remembers what was heard.

Where the language model fails and an apology is to be spoken, the status still tells the failure (502, 503 or
504, with `x-ttsops-error`), and the body is the apology.
"""

from __future__ import annotations

import base64
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ttsops.agent import Agent, AudioDelta, Event, Manner, TextDelta, Turn
from ttsops.agent.failures import LlmError
from ttsops.audio import CONTENT_TYPES, Encoder, Format
from ttsops.errors import Cancelled, NoAudio, RequestError, TtsOpsError
from ttsops.server.answers import ALWAYS_HEADERS, as_header, body_part, event_part
from ttsops.server.encoding import EncoderPool, encoder_of
from ttsops.server.errors import body_of, retry_after_seconds, status_of
from ttsops.server.hangup import EndsOnHangup
from ttsops.server.site import site_of
from ttsops.server.visit import Visit, visit_of
from ttsops.speech import Samples


class ChatAnswer(Response, ABC):
    """Answers one question to one client. A subclass says in what wrapping."""

    has_error_in_band = False
    is_held_back = False
    """Nothing is sent before the end."""

    def __init__(
        self,
        question: str,
        manner: Manner,
        *,
        agent: Agent,
        format: Format,
        conversation_id: str,
        played_seconds: float | None,
        ignored: tuple[str, ...],
    ) -> None:
        self.background = None
        self.format = format
        self._question = question
        self._manner = manner
        self._agent = agent
        self._conversation_id = conversation_id
        self._played_seconds = played_seconds
        self._ignored = ignored
        self._has_begun = False
        self._status = 200
        self.turn: Turn
        self.encoders: EncoderPool
        self._send: Send

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI wants it."""
        site, visit = site_of(scope), visit_of(scope)
        self.encoders, self._send = site.encoders, send
        site.began_answering()
        try:
            async with EndsOnHangup(receive) as listener:
                with visit.quota.utterance() if visit.quota else contextlib.nullcontext():
                    self.turn = await self._begin_turn(visit)
                    self.turn.is_held_back = self.is_held_back
                    await self.turn.run(self.take)
                    await self._end()
            is_told = self.has_error_in_band or self._status != 200
            if not listener.is_hung_up and (self.turn.error is None or is_told):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            site.ended_answering()

    async def _begin_turn(self, visit: Visit) -> Turn:
        try:
            return await self._agent.begin(
                self._question,
                self._manner,
                owner=visit.owner,
                conversation_id=self._conversation_id,
                request_id=visit.request_id,
                played_seconds=self._played_seconds,
            )
        except RequestError as error:
            raise _as_asked(error) from error

    async def _end(self) -> None:
        error = self.turn.error
        if not self._has_begun and error is not None:
            raise _as_asked(error)
        if self.turn.interrupted and not self._has_begun:
            raise Cancelled("it was interrupted by another question in the same conversation")
        await self.finish(self.turn)

    @abstractmethod
    async def take(self, event: Event) -> None:
        """A piece of text or audio."""

    @abstractmethod
    async def finish(self, turn: Turn) -> None:
        """What follows the last piece. Raises `NoAudio` if there was none."""

    async def send_part(self, data: bytes) -> None:
        """A piece of the body; nothing for nothing."""
        if data:
            await self._send(body_part(data))

    async def begin(self, content_type: str, more: Mapping[str, str] | None = None) -> None:
        """Status and headers, once."""
        if self._has_begun:
            return
        self._has_begun = True
        speaking, error = self.turn.speaking, self.turn.error
        headers = {
            "content-type": content_type,
            **ALWAYS_HEADERS,
            "x-ttsops-conversation": self.turn.conversation.id,
            "x-ttsops-engine": speaking.engine,
            **({"x-ttsops-voice": speaking.voice} if speaking.voice else {}),
            **({"x-ttsops-ignored": as_header(self._ignored)} if self._ignored else {}),
            **(more or {}),
        }
        if isinstance(error, LlmError):  # what follows is the apology
            self._status = status_of(error)
            headers["x-ttsops-error"] = error.code
            if self._status == 503:
                headers["retry-after"] = str(retry_after_seconds(error))
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": self._status, "headers": raw})


def _as_asked(error: TtsOpsError) -> TtsOpsError:
    """With the name that the field has here."""
    error.param = "voice_id" if error.param == "voice" else error.param
    return error


class ChatAudio(ChatAnswer):
    """Raw audio, as it is made."""

    _encoder: Encoder | None = None

    async def take(self, event: Event) -> None:
        """Only what is heard."""
        if isinstance(event, AudioDelta):
            if self._encoder is None:
                self._encoder = encoder_of(self.turn.speaking.engine, self.format)
            data = await self.encoders.encode(self._encoder, event.samples)
            if data:
                await self.begin(CONTENT_TYPES[self.format])
            await self.send_part(data)

    async def finish(self, turn: Turn) -> None:
        """The encoder's rest."""
        if self._encoder is None:
            raise NoAudio("the answer has nothing that can be spoken")
        await self.begin(CONTENT_TYPES[self.format])
        await self.send_part(self._encoder.finish())


class ChatFile(ChatAnswer):
    """A whole file, with its true length."""

    is_held_back = True

    async def take(self, event: Event) -> None:
        """Kept."""
        if isinstance(event, AudioDelta):
            self._kept.append(event.samples)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._kept: list[Samples] = []

    async def finish(self, turn: Turn) -> None:
        """All of it."""
        if not self._kept:
            raise NoAudio("the answer has nothing that can be spoken")
        encoder = encoder_of(turn.speaking.engine, self.format, total_samples=sum(map(len, self._kept)))
        content = await self.encoders.encode_all(encoder, self._kept)
        await self.begin(CONTENT_TYPES[self.format], {"content-length": str(len(content))})
        await self.send_part(content)


class ChatEvents(ChatAnswer):
    """Server-sent events: `text.delta`, `audio.delta`, and `turn.done` or `error`, each with its time."""

    has_error_in_band = True
    _encoder: Encoder | None = None

    async def take(self, event: Event) -> None:
        """Text at once, and audio as the format allows."""
        if isinstance(event, TextDelta):
            await self._begin()
            await self._say(
                {"type": "text.delta", "at_seconds": event.at_seconds, "text": event.text}
                | ({"is_apology": True} if event.is_apology else {})
            )
            return
        if self._encoder is None:
            self._encoder = encoder_of(self.turn.speaking.engine, self.format)
        await self._hear(await self.encoders.encode(self._encoder, event.samples), event)

    async def finish(self, turn: Turn) -> None:
        """The rest of the audio, then how it went."""
        if self._encoder is not None:
            await self._hear(self._encoder.finish(), None)
        await self._begin()
        if turn.error is not None:
            await self._say({"type": "error", "error": body_of(turn.error)})
            return
        await self._say(
            {
                "type": "turn.done",
                "reason": "interrupted" if turn.interrupted else "complete",
                "conversation_id": turn.conversation.id,
                "text": turn.text,
                "remembered": turn.remembered,
                "audio_seconds": round(turn.ledger.seconds, 6),
                "first_token_seconds": turn.times.first_token,
                "first_audio_seconds": turn.times.first_audio,
            }
        )

    async def _hear(self, data: bytes, event: AudioDelta | None) -> None:
        if not data:
            return
        await self._begin()
        content: dict[str, Any] = {
            "type": "audio.delta",
            "at_seconds": self.turn.seconds_since_question(),
            "audio": base64.b64encode(data).decode(),
        }
        if event is not None:
            content["start_seconds"] = round(event.start_seconds, 6)
            content["words"] = event.words
        await self._say(content)

    async def _begin(self) -> None:
        await self.begin("text/event-stream; charset=utf-8")

    async def _say(self, content: Mapping[str, Any]) -> None:
        await self.send_part(event_part(content))
