"""One WebSocket on `/chat/stream`: reads what the client says while a turn is spoken. See `chat_protocol`."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ttsops.agent import Agent, AudioDelta, Event, Manner, TextDelta, Turn
from ttsops.audio import Encoder, Format
from ttsops.errors import BadMessage, DeadlineExceeded, TextTooLong, TtsOpsError
from ttsops.server import chat_protocol as protocol
from ttsops.server.chat_protocol import ChatServerMessage
from ttsops.server.encoding import encoder_of
from ttsops.server.orders import engine_of
from ttsops.server.protocol import Error, encode
from ttsops.server.session import FIRST_SECONDS, GOING_AWAY, INTERNAL, NORMAL
from ttsops.server.site import Promise, SiteState
from ttsops.server.visit import Visit
from ttsops.speech import SAMPLE_RATE


class ChatSession:
    """From the handshake to the end of the socket."""

    def __init__(self, socket: WebSocket, site: SiteState, agent: Agent, visit: Visit) -> None:
        self._socket = socket
        self._site = site
        self._agent = agent
        self._visit = visit
        self._manner = Manner()
        self._format = Format.PCM
        self._conversation_id = f"conv_{secrets.token_hex(12)}"
        self._n_turns = 0
        self._turn: Turn | None = None
        self._running: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._first: Promise
        self._active_at = 0.0

    async def run(self) -> None:
        """Returns when the socket is closed; what is being said then is cut off, and forgotten from there."""
        await self._socket.accept()
        self._first = self._site.promise(FIRST_SECONDS)
        try:
            await self._read()
        except WebSocketDisconnect:
            pass  # hung up while an event was being sent
        finally:
            self._first.end()
            await self._hush("hangup")
        await self._close(NORMAL)

    # ---- reading -----------------------------------------------------------------------

    async def _read(self) -> None:
        self._active_at = asyncio.get_running_loop().time()
        while (message := await self._receive()) is not None:
            try:
                if not await self._on_frame(message.get("text")):
                    return
            except TtsOpsError as error:
                await self._send(Error.of(error))

    async def _receive(self) -> dict[str, str | None] | None:
        """The next frame; None when the socket is gone, or has been idle for too long."""
        loop = asyncio.get_running_loop()
        idle_seconds = self._site.settings.server.websocket_idle_seconds
        while True:
            try:
                async with asyncio.timeout_at(self._active_at + idle_seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                if self._running is not None and not self._running.done():
                    self._active_at = loop.time()
                    continue
                if loop.time() < self._active_at + idle_seconds:
                    continue
                await self._send(Error.of(DeadlineExceeded(f"no message for {idle_seconds:g} seconds")))
                await self._close(GOING_AWAY)
                return None
            self._active_at = loop.time()
            return None if message["type"] == "websocket.disconnect" else dict(message)

    async def _on_frame(self, frame: str | None) -> bool:
        """One message; False if it was the last. Raises for what is wrong with it."""
        if frame is None:
            raise BadMessage("a binary frame; messages are JSON in text frames")
        message = protocol.decode(frame, max_bytes=self._site.settings.server.max_body_bytes)
        match message:
            case protocol.ChatConfig():
                await self._configure(message)
            case protocol.ChatText(text=text):
                await self._ask(text)
            case protocol.Interrupt(played_seconds=played_seconds, reason=reason):
                await self._interrupt(reason, played_seconds)
            case protocol.ChatClose():
                return False
        return True

    async def _configure(self, config: protocol.ChatConfig) -> None:
        if self._running is not None and not self._running.done():
            raise BadMessage(
                "session.config cannot be applied while a turn is in progress",
                hint="wait for turn.done, or send interrupt first",
            )
        manner = Manner(
            engine=engine_of(config.model),
            voice=config.voice_id or "",
            language=config.language or "",
            speed=1.0 if config.speed is None else config.speed,
        )
        await self._agent.check(manner)
        self._manner = manner
        self._format = config.response_format or Format.PCM
        self._conversation_id = config.conversation_id or self._conversation_id
        provider = self._agent.llm.provider
        await self._send(
            protocol.SessionReady(
                conversation_id=self._conversation_id,
                provider=provider.name,
                model=provider.model,
                format=self._format,
                sample_rate=SAMPLE_RATE,
            )
        )

    async def _ask(self, text: str) -> None:
        limit = self._site.settings.server.max_text_chars
        if len(text) > limit:
            raise TextTooLong(f"a question of {len(text)} characters; {limit} are accepted", param="text")
        await self._hush("barge_in")
        self._turn = None
        number, self._n_turns = self._n_turns, self._n_turns + 1
        self._running = asyncio.create_task(self._answer(number, text))

    async def _interrupt(self, reason: str, played_seconds: float | None) -> None:
        turn = self._turn
        if turn is None:
            await self._hush(reason)
            return
        was_running, before = turn.is_running, turn.remembered
        turn.interrupt(reason, played_seconds)
        if not was_running and turn.remembered != before:
            await self._send(protocol.TurnCut(turn=self._n_turns - 1, remembered=turn.remembered))

    async def _hush(self, reason: str) -> None:
        """What is being said, or played, ends here."""
        if self._turn is not None:
            self._turn.interrupt(reason)
        if self._running is not None:
            if self._turn is None or reason == "hangup":  # it has not begun to speak, or nobody is told
                self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    # ---- a turn ------------------------------------------------------------------------

    async def _answer(self, number: int, text: str) -> None:
        """A task of its own. What the client did wrong, and what failed, is told to it."""
        self._site.began_answering()
        is_promised = self._first.is_kept
        self._first.end()
        try:
            await self._send(protocol.TurnStart(turn=number, conversation_id=self._conversation_id))
            with self._visit.quota.utterance() if self._visit.quota else contextlib.nullcontext():
                await self._run_turn(number, text, is_promised=is_promised)
        except TtsOpsError as error:
            await self._send(Error.of(error, utterance_index=number))
            await self._send(_not_begun(number, error))
        except asyncio.CancelledError:
            if self._turn is None and self._socket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await self._send(_not_begun(number, None))
            raise
        except WebSocketDisconnect:
            pass  # the reader notices, too
        except Exception:
            await self._send(Error(message="internal error", code="internal"))
            await self._close(INTERNAL)
            raise
        finally:
            self._site.ended_answering()

    async def _run_turn(self, number: int, text: str, *, is_promised: bool) -> None:
        turn = await self._agent.begin(
            text,
            self._manner,
            owner=self._visit.owner,
            conversation_id=self._conversation_id,
            request_id=self._visit.request_id,
            is_promised=is_promised,
        )
        self._turn = turn
        voice = _Voice(number, turn, self._format)
        await turn.run(lambda event: self._emit(voice, event))
        if not turn.interrupted and not turn.error:
            await self._send_audio(voice.finish(), voice)
        if turn.error is not None:
            await self._send(Error.of(turn.error, utterance_index=number))
        await self._send(_done(number, turn))

    async def _emit(self, voice: _Voice, event: Event) -> None:
        if isinstance(event, TextDelta):
            await self._send(
                protocol.TextEvent(
                    turn=voice.number,
                    at_seconds=_rounded(event.at_seconds),
                    text=event.text,
                    is_apology=event.is_apology,
                )
            )
            return
        if voice.encoder is None:
            await self._send(voice.start(event))
        assert voice.encoder is not None
        data = await self._site.encoders.encode(voice.encoder, event.samples)
        voice.add(event)
        await self._send_audio(data, voice)

    async def _send_audio(self, data: bytes, voice: _Voice) -> None:
        """The announcement and its frame, with nothing between them."""
        if not data:
            return
        async with self._sending:
            await self._socket.send_text(encode(voice.announce(len(data))))
            await self._socket.send_bytes(data)
        self._active_at = asyncio.get_running_loop().time()

    async def _send(self, event: ChatServerMessage) -> None:
        async with self._sending:
            await self._socket.send_text(encode(event))

    async def _close(self, code: int) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(code)


class _Voice:
    """The audio of one turn on its way into frames."""

    def __init__(self, number: int, turn: Turn, fmt: Format) -> None:
        self.number = number
        self.encoder: Encoder | None = None
        self._turn = turn
        self._format = fmt
        self._events: list[AudioDelta] = []
        self._end_seconds = 0.0

    def start(self, event: AudioDelta) -> protocol.AudioStart:
        """The first audio is here."""
        speaking = self._turn.speaking
        self.encoder = encoder_of(speaking.engine, self._format)
        return protocol.AudioStart(
            turn=self.number,
            at_seconds=_rounded(event.at_seconds),
            format=self._format,
            sample_rate=SAMPLE_RATE,
            engine=speaking.engine,
            voice=speaking.voice,
        )

    def add(self, event: AudioDelta) -> None:
        """It went into the encoder, and leaves with the next frame."""
        self._events.append(event)
        self._end_seconds = event.start_seconds + len(event.samples) / SAMPLE_RATE

    def announce(self, n_bytes: int) -> protocol.AudioEvent:
        """Of the frame that is about to leave."""
        events, self._events = self._events, []
        start_seconds = events[0].start_seconds if events else self._end_seconds
        return protocol.AudioEvent(
            turn=self.number,
            at_seconds=_rounded(self._turn.seconds_since_question()),
            start_seconds=_rounded(start_seconds),
            duration_seconds=_rounded(self._end_seconds - start_seconds),
            n_bytes=n_bytes,
            words=tuple(
                protocol.SpokenWord(_rounded(word.start_seconds), word.text)
                for event in events
                for word in event.words
            ),
        )

    def finish(self) -> bytes:
        """The last frame."""
        return self.encoder.finish() if self.encoder is not None else b""


def _done(number: int, turn: Turn) -> protocol.TurnDone:
    times = turn.times
    reason = "failed" if turn.error else "interrupted" if turn.interrupted else "complete"
    return protocol.TurnDone(
        turn=number,
        at_seconds=_rounded(turn.seconds_since_question()),
        reason=reason,  # type: ignore[arg-type]
        remembered=turn.remembered,
        audio_seconds=_rounded(turn.ledger.seconds),
        error=turn.error.code if turn.error else None,
        first_token_seconds=_maybe_rounded(times.first_token),
        first_audio_seconds=_maybe_rounded(times.first_audio),
    )


def _not_begun(number: int, error: TtsOpsError | None) -> protocol.TurnDone:
    """It ended before there was anything of it."""
    return protocol.TurnDone(
        turn=number,
        at_seconds=0.0,
        reason="failed" if error else "interrupted",
        remembered="",
        audio_seconds=0.0,
        error=error.code if error else None,
    )


def _rounded(seconds: float) -> float:
    return round(seconds, 6)


def _maybe_rounded(seconds: float | None) -> float | None:
    return None if seconds is None else _rounded(seconds)
