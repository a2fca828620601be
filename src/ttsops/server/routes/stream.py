"""WebSocket `/v1/audio/speech/stream`: text in pieces, several utterances, cancel. See docs/websocket.md."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from ttsops.server.session import Session
from ttsops.server.state import STREAM_ROUTE, state_of
from ttsops.server.visit import visit_of

router = APIRouter()


@router.websocket(STREAM_ROUTE)
async def stream_speech(socket: WebSocket) -> None:
    """Until either side closes it."""
    await Session(socket, state_of(socket.scope), visit_of(socket.scope)).run()
