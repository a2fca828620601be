"""`POST /v1/audio/voices` and `DELETE /v1/audio/voices/{voice}`: voices from recordings, in OpenAI's shape.

https://developers.openai.com/api/reference/resources/audio/subresources/voices/methods/create
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Path, Request, UploadFile

from ttsops.observe.logs import get_logger
from ttsops.server.aside import aside, file_is_called
from ttsops.server.routes.described import error_responses
from ttsops.server.state import ServerState, state_of
from ttsops.server.voice_schemas import DeletedVoice, MadeVoice
from ttsops.voices.consents import ConsentBook
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.manifest import Consent, Manifest, is_id
from ttsops.voices.naming import name_voice
from ttsops.voices.suits import wants_reference

router = APIRouter(tags=["voices"])

_log = get_logger(__name__)

VOICES = "/v1/audio/voices"


@router.post(
    VOICES,
    responses=error_responses(400, 401, 404, 409, 413, 500),
    summary="Make a voice from a recording",
)
async def make_voice(
    request: Request,
    name: Annotated[
        str, Form(description="What it is called, or its id", examples=["My new voice", "en-Alice_woman"])
    ],
    audio_sample: Annotated[
        UploadFile, File(description="0.4 to 30 s of clear speech by one person; any audio file")
    ],
    consent: Annotated[
        str,
        Form(
            description="Id of a recorded consent, or who agreed and when, in words",
            examples=["cons_0123456789abcdef01234567", "Alice agreed on 2026-11-01"],
        ),
    ],
    type: Annotated[
        Literal["audio_sample"], Form(description="No voices are made from descriptions here")
    ] = ("audio_sample"),
    transcript: Annotated[
        str, Form(description="What is said in the sample, word for word; ours, and `f5` wants it")
    ] = "",
    language: Annotated[str, Form(description="BCP 47 tag; ours; that of the consent, or `en`")] = "",
    gender: Annotated[str, Form(description="`woman`, `man` or `person`; ours")] = "",
    licence: Annotated[str, Form(description="What may be done with the voice; ours")] = "",
) -> MadeVoice:
    """It can be spoken at once, in every process that serves the library."""
    state = state_of(request.scope)
    library = state.library
    async with state.preparing:
        make = partial(
            _make,
            library,
            await audio_sample.read(),
            name=name,
            consent=consent,
            transcript=transcript,
            language=language,
            gender=gender,
            licence=licence,
            source_name=audio_sample.filename or "",
            needs_reference=_needs_reference(state),
        )
        with file_is_called("audio_sample"):
            manifest = await aside(make)
    _log.info("voice_made", voice=manifest.id, warnings=len(manifest.findings))
    return MadeVoice.of(manifest)


@router.delete(
    VOICES + "/{voice}",
    responses=error_responses(401, 404, 500),
    summary="Delete a voice that was made from a recording",
)
async def delete_voice(
    request: Request,
    voice: Annotated[str, Path(description="Id of an imported voice", examples=["en-Alice_woman"])],
) -> DeletedVoice:
    """With all its recordings. Who speaks as it at the moment goes on to the end of the utterance."""
    await aside(state_of(request.scope).library.remove, voice)
    _log.info("voice_deleted", voice=voice)
    return DeletedVoice(id=voice, object="audio.voice.deleted", deleted=True)


def _needs_reference(state: ServerState) -> bool:
    """Whether no engine served here could speak as a voice without a transcript."""
    cloning = [name for name, service in state.runtime.services.items() if service.card.clones_voices]
    return bool(cloning) and all(wants_reference(name) for name in cloning)


def _make(
    library: VoiceLibrary,
    sample: bytes,
    *,
    name: str,
    consent: str,
    transcript: str,
    language: str,
    gender: str,
    licence: str,
    source_name: str,
    needs_reference: bool,
) -> Manifest:
    """Reads and writes files. Raises as `VoiceLibrary.add` does, and `ConsentNotFound`."""
    said: str | Consent = consent
    recording = b""
    if consent.strip().startswith("cons_"):
        book = ConsentBook(library.folder)
        given = book.get(consent.strip())
        said, recording = given.for_voice(), book.recording(given.id)
        if not is_id(name.strip()):  # an id says its language itself
            language = language or given.language
    voice = name_voice(name, language, gender)
    return library.add(
        voice.id,
        sample,
        transcript,
        consent=said,
        consent_recording=recording,
        source_name=source_name,
        licence=licence,
        name=voice.name,
        needs_reference=needs_reference,
    )
