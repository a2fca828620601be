"""`GET /health` for people, `/health/live` and `/health/ready` for probes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from ttsops import __version__
from ttsops.runtime import EngineService
from ttsops.server.schemas import HealthBody, StatusBody
from ttsops.server.state import ServerState, state_of

router = APIRouter(tags=["health"])

Status = Literal["ok", "degraded", "loading", "down", "draining"]

_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": StatusBody, "description": "Loading, down or stopping"}
}


@router.get(
    "/health",
    responses={503: {"model": HealthBody, "description": "The same, while the server cannot speak"}},
    summary="How it is, and how it went of late",
)
async def health(request: Request, response: Response) -> HealthBody:
    """`degraded`: the default engine speaks or is stood in for, but not every engine is well."""
    state = state_of(request.scope)
    response.status_code = 200 if state.runtime.is_ready else 503
    return HealthBody(
        status=_status(state),
        version=__version__,
        uptime_seconds=round(state.uptime_seconds, 3),
        engines={name: _engine(service) for name, service in state.runtime.services.items()},
        recent=asdict(state.recent.summary()),
    )


@router.get("/health/live", summary="The process answers")
async def live() -> StatusBody:
    """Stays 200 while an engine loads, dies or drains: a restart would mend nothing."""
    return StatusBody(status="ok")


@router.get("/health/ready", responses=_NOT_READY, summary="Send requests here")
async def ready(request: Request, response: Response) -> StatusBody:
    """200 while requests should come here."""
    state = state_of(request.scope)
    response.status_code = 200 if state.runtime.is_ready and not state.is_leaving else 503
    return StatusBody(status=_status(state))


def _status(state: ServerState) -> Status:
    runtime = state.runtime
    if state.is_leaving or runtime.is_draining:
        return "draining"
    if runtime.is_ready:
        return "ok" if all(one.is_ready for one in runtime.services.values()) else "degraded"
    return "loading" if runtime.service().state == "loading" else "down"


def _engine(service: EngineService) -> dict[str, Any]:
    error = service.last_error
    return {
        "state": service.state,
        "ready": service.is_ready,
        "live": service.n_live,
        "queued": service.n_queued,
        "capacity": service.capacity,
        "voices": len(service.voices),
        "load_seconds": service.load_seconds,
        "error": None
        if error is None
        else {"code": error.code, "message": error.message, "hint": error.hint},
    }
