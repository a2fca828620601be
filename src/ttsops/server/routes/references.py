"""`/api/voices/{voice}/reference`: the recording a voice speaks from, another one for it, and back again."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile

from ttsops.observe.logs import get_logger
from ttsops.server.aside import aside
from ttsops.server.reference_schemas import VoiceReference
from ttsops.server.routes.described import error_responses
from ttsops.server.state import state_of
from ttsops.voices.manifest import Manifest

router = APIRouter(tags=["voices"])

_log = get_logger(__name__)

REFERENCE = "/api/voices/{voice}/reference"

VoiceId = Annotated[str, Path(description="Id of an imported voice", examples=["en-Alice_woman"])]

_WAV: dict[str, Any] = {
    "description": "The recording, without the silence that was cut out of it",
    "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get(REFERENCE, responses=error_responses(401, 404, 500), summary="Look up what a voice speaks from")
async def get_reference(request: Request, voice: VoiceId) -> VoiceReference:
    """Its baseline, the recording that stands in for it if there is one, and which of them is heard."""
    return VoiceReference.of(await aside(state_of(request.scope).library.get, voice))


@router.post(
    REFERENCE,
    responses=error_responses(400, 401, 404, 409, 413, 500),
    summary="Let a voice speak from another recording",
)
async def set_reference(
    request: Request,
    voice: VoiceId,
    file: Annotated[UploadFile, File(description="2 to 12 s of clear speech by one person; any audio file")],
    transcript: Annotated[str, Form(description="What is said in it, word for word")],
    consent: Annotated[
        str,
        Form(description="That the speaker agreed, and when", examples=["Alice agreed on 2026-11-01"]),
    ],
) -> VoiceReference:
    """From the next utterance on, in every process that serves the voice; and until it is taken back."""
    state = state_of(request.scope)
    library = state.library
    async with state.preparing:
        data = await file.read()
        change = partial(
            library.set_override, voice, data, transcript, consent=consent, source_name=file.filename or ""
        )
        manifest = await aside(change)
    _log.info("reference_changed", voice=voice, change="override", sha256=_sha256(manifest))
    return VoiceReference.of(manifest)


@router.delete(
    REFERENCE, responses=error_responses(401, 404, 500), summary="Let a voice speak from its baseline again"
)
async def reset_reference(request: Request, voice: VoiceId) -> VoiceReference:
    """The other recording is deleted. Nothing happens if there is none."""
    manifest = await aside(state_of(request.scope).library.reset_override, voice)
    _log.info("reference_changed", voice=voice, change="reset", sha256=_sha256(manifest))
    return VoiceReference.of(manifest)


@router.get(
    f"{REFERENCE}/audio",
    response_class=Response,
    responses={200: _WAV, **error_responses(400, 401, 404, 500)},
    summary="Download what a voice speaks from",
)
async def get_reference_audio(
    request: Request,
    voice: VoiceId,
    source: Annotated[
        Literal["active", "baseline", "override"],
        Query(description="Which of the two; the one that is heard"),
    ] = "active",
) -> Response:
    """As a WAV file of 16 bit."""
    wav = await aside(state_of(request.scope).library.audio, voice, source)
    name = f'attachment; filename="{voice}-{source}.wav"'
    headers = {"cache-control": "no-store", "content-disposition": name}
    return Response(wav, media_type="audio/wav", headers=headers)


def _sha256(manifest: Manifest) -> str:
    return manifest.active.sha256 if manifest.active else ""
