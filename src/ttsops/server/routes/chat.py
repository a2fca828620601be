"""`POST /chat` and WebSocket `/chat/stream`: a question in, a spoken answer out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response, WebSocket
from starlette.types import Scope

from ttsops.agent import Agent, Manner
from ttsops.audio import Format
from ttsops.server.chat_answers import ChatAnswer, ChatAudio, ChatEvents, ChatFile
from ttsops.server.chat_schemas import ChatBody
from ttsops.server.chat_session import ChatSession
from ttsops.server.orders import check_length, engine_of
from ttsops.server.routes.described import (
    AUDIO_HEADERS,
    EVENT_SCHEMA,
    SPEECH_ERRORS,
    audio_content,
    error_responses,
)
from ttsops.server.site import site_of
from ttsops.server.visit import visit_of

CHAT_ROUTE = "/chat"
CHAT_STREAM_ROUTE = "/chat/stream"

router = APIRouter(tags=["chat"])

_CONVERSATION = {"description": "Send it as `conversation_id` to go on", "schema": {"type": "string"}}
_OK: dict[str, Any] = {
    "description": "The answer, spoken while it is written",
    "headers": AUDIO_HEADERS | {"x-ttsops-conversation": _CONVERSATION},
    "content": audio_content()
    | {
        "text/event-stream": {
            "schema": EVENT_SCHEMA,
            "example": 'data: {"type":"text.delta","at_seconds":0.31,"text":"Good "}\n\n'
            'data: {"type":"audio.delta","at_seconds":0.32,"start_seconds":0.0,"audio":"UklGR…"}\n\n'
            'data: {"type":"turn.done","reason":"complete","text":"Good morning."}\n\n',
        }
    },
}


def agent_of(scope: Scope) -> Agent:
    """The agent of the application that handles `scope`."""
    agent: Agent = scope["app"].state.agent
    return agent


@router.post(
    CHAT_ROUTE,
    response_class=Response,
    responses={200: _OK, **error_responses(*SPEECH_ERRORS, 502)},
    summary="Ask, and hear the answer",
)
async def chat(body: ChatBody, request: Request) -> ChatAnswer:
    """A language model answers, and is heard while it writes. Another question in the same conversation
    interrupts it.

    Where the model fails, the status is 502 (it answered wrongly), 503 (not now) or 504 (not in time); the
    body is a spoken apology with `x-ttsops-error`, or, with `agent.apology` `plain`, the error alone.
    """
    check_length(body.text, site_of(request.scope).settings.server.max_text_chars)
    answer = ChatEvents if body.stream_format == "sse" else ChatAudio if body.stream else ChatFile
    manner = Manner(
        engine=engine_of(body.model),
        voice=body.voice_id or "",
        language=body.language or "",
        speed=1.0 if body.speed is None else body.speed,
    )
    return answer(
        body.text,
        manner,
        agent=agent_of(request.scope),
        format=body.response_format or Format.WAV,
        conversation_id=body.conversation_id or "",
        played_seconds=body.played_seconds,
        ignored=body.unknown_fields,
    )


@router.websocket(CHAT_STREAM_ROUTE)
async def chat_stream(socket: WebSocket) -> None:
    """Until either side closes it."""
    scope = socket.scope
    await ChatSession(socket, site_of(scope), agent_of(scope), visit_of(scope)).run()
