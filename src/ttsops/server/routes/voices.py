"""`GET /v1/audio/voices`: one body for clients that read `voices` and for those that read `data`."""

from __future__ import annotations

import contextlib

from fastapi import APIRouter, Query, Request

from ttsops.errors import UnknownVoice
from ttsops.runtime import EngineService
from ttsops.server.orders import engine_of
from ttsops.server.routes.described import error_responses
from ttsops.server.schemas import VoiceItem, VoiceList
from ttsops.server.state import state_of
from ttsops.voices import OPENAI_VOICES, resolve_voice

router = APIRouter(tags=["voices"])


@router.get("/v1/audio/voices", responses=error_responses(401, 404), summary="List voices")
async def list_voices(
    request: Request,
    model: str = Query("", description="As in a request for speech; empty for the default engine"),
) -> VoiceList:
    """The voices of one engine; none while it loads for the first time."""
    service = state_of(request.scope).service(engine_of(model))
    items = [
        VoiceItem(
            id=voice.id,
            name=voice.name,
            object="audio.voice",
            language=voice.language,
            gender=voice.gender,
            description=voice.description,
        )
        for voice in service.voices
    ]
    return VoiceList(
        object="list",
        data=items,
        voices=items,
        has_more=False,
        model=service.name,
        default=service.card.default_voice,
        aliases=_aliases(service),
    )


def _aliases(service: EngineService) -> dict[str, str]:
    found = {}
    for voice in OPENAI_VOICES:
        with contextlib.suppress(UnknownVoice):
            found[voice.name] = resolve_voice(voice.name, service.card, service.voices)
    return found
