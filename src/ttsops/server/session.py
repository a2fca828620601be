"""One WebSocket: reads what the client says, and keeps a speaker busy with it. See `protocol`.

Reading never waits for speaking, so that a cancel, a hang-up or a ping is noticed while audio is on its way.
A listener who reads slowly makes sending wait, and so the runtime parks its stream.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ttsops.errors import BadMessage, DeadlineExceeded, Overloaded, TtsOpsError
from ttsops.server import protocol
from ttsops.server.orders import Order, in_pieces, order_of_session
from ttsops.server.protocol import Error, ServerMessage, SessionConfig
from ttsops.server.site import Promise
from ttsops.server.speaker import Speaker
from ttsops.server.state import ServerState
from ttsops.server.utterance import Utterance
from ttsops.server.visit import Visit

CONFIG_SECONDS = 10.0
"""How long a new socket may say nothing."""

FIRST_SECONDS = 5.0
"""A socket that was let in may begin its first utterance within this, even if the server drains meanwhile."""

MAX_WAITING = 32
"""Utterances a client may be ahead of what it hears."""

NORMAL, GOING_AWAY, POLICY, INTERNAL = 1000, 1001, 1008, 1011
"""Close codes: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1"""


class Session:
    """From the handshake to the end of the socket."""

    def __init__(self, socket: WebSocket, state: ServerState, visit: Visit) -> None:
        self._socket = socket
        self._state = state
        self._speaker = Speaker(state, visit, send_event=self._send, send_frame=self._send_frame)
        self._config: SessionConfig | None = None
        self._order: Order | None = None
        self._language = ""
        self._open: Utterance | None = None
        self._n_utterances = 0
        self._first: Promise
        self._is_closing = False
        self._active_at = 0.0

    async def run(self) -> None:
        """Returns when the socket is closed; what still speaks is cut off."""
        await self._socket.accept()
        self._first = self._state.promise(FIRST_SECONDS)
        speaking = asyncio.create_task(self._speak())
        try:
            await self._read()
        except WebSocketDisconnect:
            pass  # hung up while an event was being sent
        finally:
            self._first.end()
            speaking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await speaking

    async def _speak(self) -> None:
        try:
            await self._speaker.run()
            await self._close(NORMAL)
        except WebSocketDisconnect:
            pass  # hung up; the reader has noticed, too
        except Exception:
            # A bug: its traceback is logged when `run` awaits this task.
            await self._send(Error(message="internal error", code="internal"))
            await self._close(INTERNAL)
            raise

    # ---- reading -----------------------------------------------------------------------

    async def _read(self) -> None:
        self._active_at = asyncio.get_running_loop().time()
        while (message := await self._receive()) is not None:
            if self._is_closing:
                continue
            try:
                await self._on_frame(message.get("text"))
            except TtsOpsError as error:
                await self._send(Error.of(error))
                if self._config is None:
                    await self._close(POLICY)

    async def _receive(self) -> dict[str, str | None] | None:
        """The next frame; None when the socket is gone, or has been idle for too long."""
        loop = asyncio.get_running_loop()
        while True:
            settings = self._state.settings.server
            idle_seconds = settings.websocket_idle_seconds if self._config else CONFIG_SECONDS
            try:
                async with asyncio.timeout_at(self._active_at + idle_seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                if self._speaker.owes_speech:
                    self._active_at = loop.time()
                if loop.time() < self._active_at + idle_seconds:
                    continue
                what = "no message" if self._config else "no session.config"
                await self._send(Error.of(DeadlineExceeded(f"{what} for {idle_seconds:g} seconds")))
                await self._close(GOING_AWAY)
                return None
            self._active_at = loop.time()
            return None if message["type"] == "websocket.disconnect" else dict(message)

    async def _on_frame(self, frame: str | None) -> None:
        """One message. Raises for what is wrong with it; an utterance's faults are its own affair."""
        if frame is None:
            raise BadMessage("a binary frame; messages are JSON in text frames")
        message = protocol.decode(frame, max_bytes=self._state.settings.server.max_body_bytes)
        match message:
            case protocol.SessionConfig():
                self._configure(message, protocol.unknown_config_fields(frame))
            case _ if self._config is None:
                raise BadMessage("the first message must be session.config")
            case protocol.InputText(text=text):
                await self._feed(text)
            case protocol.InputFlush():
                if self._open is not None:
                    self._open.flush()
            case protocol.InputDone():
                (self._open or self._begin()).done()
                self._open = None
            case protocol.InputCancel(reason=reason):
                self._speaker.cancel(reason)
                self._open = None
            case protocol.SessionClose():
                self._is_closing = True
                if self._open is not None:
                    self._open.cancel("client")
                self._speaker.close()

    def _configure(self, config: SessionConfig, unknown_fields: tuple[str, ...]) -> None:
        if self._open is not None:
            raise BadMessage(
                "session.config cannot be applied while an utterance is in progress",
                hint="send input.done or input.cancel first",
            )
        order = order_of_session(config, unknown_fields)
        service = self._state.service(order.engine)
        if service.voices:  # while it loads, nobody knows them yet
            service.check(order.request("", is_text_complete=False))
        self._language = order.text_language(service)
        self._config, self._order = config, order

    async def _feed(self, text: str) -> None:
        utterance = self._open or self._begin()
        self._open = utterance
        try:
            utterance.expect(len(text))
            async for piece in in_pieces(text):
                utterance.feed(piece)
        except TtsOpsError as error:
            utterance.fail(error)

    def _begin(self) -> Utterance:
        assert self._order is not None
        assert self._config is not None
        if self._speaker.n_waiting >= MAX_WAITING:
            raise Overloaded(
                f"{MAX_WAITING} utterances wait on this socket already", hint="wait for session.done"
            )
        utterance = Utterance(
            self._n_utterances,
            self._order,
            self._config,
            language=self._language,
            max_chars=self._state.settings.server.max_text_chars,
        )
        self._n_utterances += 1
        self._speaker.add(utterance, is_promised=self._first.is_kept)
        self._first.end()
        return utterance

    # ---- sending -----------------------------------------------------------------------

    async def _send(self, event: ServerMessage) -> None:
        await self._socket.send_text(protocol.encode(event))

    async def _send_frame(self, data: bytes) -> None:
        await self._socket.send_bytes(data)
        self._active_at = asyncio.get_running_loop().time()

    async def _close(self, code: int) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(code)
