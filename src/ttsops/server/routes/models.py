"""`GET /v1/models`: the engines served here, and OpenAI's names for the default one."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ttsops.server.orders import OPENAI_MODELS, engine_of
from ttsops.server.routes.described import error_responses
from ttsops.server.schemas import ModelItem, ModelList
from ttsops.server.state import ServerState, state_of

router = APIRouter(tags=["models"])


@router.get("/v1/models", responses=error_responses(401), summary="List models")
async def list_models(request: Request) -> ModelList:
    """Every name that `model` may have, but for OpenAI's dated ones."""
    state = state_of(request.scope)
    names = [*state.runtime.services, *OPENAI_MODELS]
    return ModelList(object="list", data=[_item(state, name) for name in names])


@router.get("/v1/models/{model}", responses=error_responses(401, 404), summary="Look up a model")
async def get_model(request: Request, model: str) -> ModelItem:
    """One of them."""
    return _item(state_of(request.scope), model)


def _item(state: ServerState, name: str) -> ModelItem:
    service = state.service(engine_of(name))
    return ModelItem(
        id=name,
        object="model",
        created=int(state.started_at),
        owned_by="tts-ops",
        engine=service.name,
        summary=service.card.summary,
        licence=service.card.licence,
        takes_text_in_pieces=service.card.takes_text_in_pieces,
        ready=service.is_ready,
    )
