"""`GET /` and `GET /v1`: what answers here, and where it is described."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from ttsops import __version__
from ttsops.server.routes.described import error_responses

router = APIRouter(tags=["about"])


class About(BaseModel):
    """Who answers."""

    name: str
    version: str
    openapi: str
    docs: str


_ABOUT = About(name="tts-ops", version=__version__, openapi="/openapi.json", docs="/docs")


@router.get("/", summary="What this is")
async def root() -> About:
    """Where the description is."""
    return _ABOUT


@router.get("/v1", responses=error_responses(401), summary="What answers OpenAI's clients")
async def v1() -> About:
    """Clients ask it whether their base URL is right."""
    return _ABOUT
