"""`/v1/audio/voice_consents`: recordings in which somebody agrees, in OpenAI's shape.

https://developers.openai.com/api/reference/resources/audio/subresources/voice_consents/methods/create
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile

from ttsops.observe.logs import get_logger
from ttsops.server.aside import aside, file_is_called
from ttsops.server.routes.described import error_responses
from ttsops.server.state import state_of
from ttsops.server.voice_schemas import ConsentItem, ConsentList, ConsentName, DeletedConsent
from ttsops.voices.consents import ConsentBook

router = APIRouter(tags=["voices"])

_log = get_logger(__name__)

CONSENTS = "/v1/audio/voice_consents"
MOST_LISTED = 100

ConsentId = Annotated[
    str, Path(description="Id of a recorded consent", examples=["cons_0123456789abcdef01234567"])
]


@router.post(CONSENTS, responses=error_responses(400, 401, 404, 413, 500), summary="Record a consent")
async def record_consent(
    request: Request,
    name: Annotated[str, Form(description="Who speaks in it", examples=["John Doe"])],
    language: Annotated[str, Form(description="BCP 47 tag of what is said", examples=["en-US"])],
    recording: Annotated[UploadFile, File(description="The speaker agrees; any audio file")],
) -> ConsentItem:
    """It is kept as it came. What is said in it is not understood here: somebody has to listen."""
    state = state_of(request.scope)
    book = _book(request)
    async with state.preparing:
        add = partial(book.add, name, language, await recording.read(), source_name=recording.filename or "")
        with file_is_called("recording"):
            consent = await aside(add)
    _log.info("consent_recorded", consent=consent.id)
    return ConsentItem.of(consent)


@router.get(CONSENTS, responses=error_responses(400, 401, 404, 500), summary="List consents")
async def list_consents(
    request: Request,
    after: Annotated[str, Query(description="Id of the last one of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="Most on a page")] = 20,
) -> ConsentList:
    """The newest first."""
    found = await aside(_book(request).list)
    if after:
        place = next((index for index, one in enumerate(found) if one.id == after), len(found) - 1)
        found = found[place + 1 :]
    data = [ConsentItem.of(one) for one in found[:limit]]
    return ConsentList(
        object="list",
        data=data,
        first_id=data[0].id if data else None,
        last_id=data[-1].id if data else None,
        has_more=len(found) > limit,
    )


@router.get(CONSENTS + "/{consent}", responses=error_responses(401, 404, 500), summary="Look up a consent")
async def get_consent(request: Request, consent: ConsentId) -> ConsentItem:
    """Who, in which language, when."""
    return ConsentItem.of(await aside(_book(request).get, consent))


@router.post(
    CONSENTS + "/{consent}", responses=error_responses(400, 401, 404, 413, 500), summary="Rename a consent"
)
async def rename_consent(request: Request, consent: ConsentId, body: ConsentName) -> ConsentItem:
    """The recording stays as it is, and so do voices that were made with it."""
    return ConsentItem.of(await aside(_book(request).rename, consent, body.name))


@router.delete(CONSENTS + "/{consent}", responses=error_responses(401, 404, 500), summary="Delete a consent")
async def delete_consent(request: Request, consent: ConsentId) -> DeletedConsent:
    """No voice can be made with it any more. Those that were made keep their copy; delete them, too, if
    somebody takes a consent back.
    """
    await aside(_book(request).remove, consent)
    _log.info("consent_deleted", consent=consent)
    return DeletedConsent(id=consent, object="audio.voice_consent", deleted=True)


def _book(request: Request) -> ConsentBook:
    """Raises `NoReferences` where there are no voices from recordings."""
    return ConsentBook(state_of(request.scope).library.folder)
