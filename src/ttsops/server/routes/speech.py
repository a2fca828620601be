"""`POST /v1/audio/speech`: OpenAI's contract.

https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from ttsops.server.answers import AudioAnswer, EventAnswer, SpeechAnswer
from ttsops.server.orders import order_of_speech
from ttsops.server.routes.described import (
    AUDIO_HEADERS,
    EVENT_SCHEMA,
    SPEECH_ERRORS,
    audio_content,
    error_responses,
)
from ttsops.server.schemas import SpeechBody
from ttsops.server.state import SPEECH_ROUTE

router = APIRouter(tags=["speech"])

_OK: dict[str, Any] = {
    "description": "Speech in the format asked for, sent as it is made",
    "headers": AUDIO_HEADERS,
    "content": audio_content()
    | {
        "text/event-stream": {
            "schema": EVENT_SCHEMA,
            "example": 'data: {"type":"speech.audio.delta","audio":"SUQzBA…"}\n\n'
            'data: {"type":"speech.audio.done","usage":{"input_tokens":5,"output_tokens":31,'
            '"total_tokens":36}}\n\n',
        }
    },
}
_PARAM_NAMES = {"text": "input"}


@router.post(
    SPEECH_ROUTE,
    response_class=Response,
    responses={200: _OK, **error_responses(*SPEECH_ERRORS)},
    summary="Speak a text",
)
async def create_speech(body: SpeechBody) -> SpeechAnswer:
    """OpenAI's `createSpeech`, with additions. The status is sent with the first audio.

    If it breaks off later, an event stream ends with an `error` event, and raw audio without its last chunk,
    so that no client takes it for complete.
    """
    answer = EventAnswer if body.stream_format == "sse" else AudioAnswer
    return answer(order_of_speech(body), body.input, route=SPEECH_ROUTE, param_names=_PARAM_NAMES)
