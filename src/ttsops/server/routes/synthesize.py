"""`POST /synthesize`: a whole file, with its figures in headers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from ttsops.server.answers import AudioAnswer, FileAnswer, SpeechAnswer
from ttsops.server.orders import order_of_synthesize
from ttsops.server.routes.described import AUDIO_HEADERS, SPEECH_ERRORS, audio_content, error_responses
from ttsops.server.schemas import SynthesizeBody
from ttsops.server.state import SYNTHESIZE_ROUTE

router = APIRouter(tags=["speech"])

_FIGURES = {
    "x-ttsops-audio-seconds": "Playing time",
    "x-ttsops-queue-seconds": "Wait for a place in the engine",
    "x-ttsops-first-audio-seconds": "Accepted to first audio from the engine",
    "x-ttsops-synthesis-seconds": "The engine's time for it",
    "x-ttsops-rtf": "Synthesis seconds / audio seconds",
}
_OK: dict[str, Any] = {
    "description": "Speech in the format asked for; with `stream` sent as it is made, and without figures",
    "headers": AUDIO_HEADERS
    | {
        name: {"description": what, "schema": {"type": "string"}, "required": False}
        for name, what in _FIGURES.items()
    },
    "content": audio_content(),
}
_PARAM_NAMES = {"voice": "voice_id"}


@router.post(
    SYNTHESIZE_ROUTE,
    response_class=Response,
    responses={200: _OK, **error_responses(*SPEECH_ERRORS)},
    summary="Speak a text into a file",
)
async def synthesize(body: SynthesizeBody) -> SpeechAnswer:
    """A file with its true length. It has no playout deadline: live listeners go first."""
    answer = AudioAnswer if body.stream else FileAnswer
    return answer(order_of_synthesize(body), body.text, route=SYNTHESIZE_ROUTE, param_names=_PARAM_NAMES)
