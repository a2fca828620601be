"""Of the agent that runs alone: `GET /health/live` and `/health/ready` for probes, `/health` for people."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ttsops import __version__
from ttsops.server.errors import json_response
from ttsops.server.routes.chat import agent_of
from ttsops.server.schemas import StatusBody
from ttsops.server.site import site_of

router = APIRouter(tags=["health"])


class AgentHealth(BaseModel):
    """`GET /health`."""

    status: str
    version: str
    uptime_seconds: float
    provider: str
    model: str
    is_model_left_alone: bool
    """After failures, for a while."""
    conversations: int


@router.get("/health/live", summary="Is the process alive?")
async def live() -> StatusBody:
    """It answers."""
    return StatusBody(status="ok")


@router.get(
    "/health/ready",
    responses={200: {"model": StatusBody}, 503: {"model": StatusBody, "description": "Not now"}},
    response_model=None,
    summary="Would a question be answered?",
)
async def ready(request: Request) -> Response:
    """The speech server behind it is ready, and it is not about to stop."""
    is_ready = not site_of(request.scope).is_leaving and await agent_of(request.scope).is_ready()
    return json_response({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)


@router.get("/health", summary="How is it?")
async def health(request: Request) -> AgentHealth:
    """For a person."""
    agent = agent_of(request.scope)
    return AgentHealth(
        status="ok" if await agent.is_ready() else "down",
        version=__version__,
        uptime_seconds=round(site_of(request.scope).uptime_seconds, 3),
        provider=agent.llm.provider.name,
        model=agent.llm.provider.model,
        is_model_left_alone=agent.llm.is_left_alone,
        conversations=len(agent.conversations),
    )
