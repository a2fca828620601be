"""`GET /` for browsers: the studio. Its files are static modules, and two routes tell it what it shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ttsops.server.routes.described import error_responses
from ttsops.server.routes.root import About, root
from ttsops.server.state import state_of
from ttsops.server.studio_facts import (
    EngineFacts,
    Operate,
    engine_facts,
    live_streams,
    log_lines,
    models_here,
    monitor_runs,
    reports,
)

router = APIRouter(tags=["studio"])

FOLDER = Path(__file__).parents[1] / "studio"

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self' ws: wss:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Nothing from elsewhere, and nothing inline: what a voice is called cannot become a script."""

HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


class _Files(StaticFiles):
    """With the page's headers; a file that was upgraded is seen at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See `StaticFiles`."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def files() -> StaticFiles:
    """The page's modules and styles."""
    return _Files(directory=FOLDER)


@router.get("/", include_in_schema=False, response_model=None)
async def page(request: Request) -> Response | About:
    """The page for whoever wants to read, and what `GET /` always said for programs."""
    if "text/html" in request.headers.get("accept", ""):
        return FileResponse(FOLDER / "index.html", headers=HEADERS, media_type="text/html")
    return await root()


@router.get("/api/studio/engines", responses=error_responses(401), summary="Engines, as a form needs them")
async def engines(request: Request) -> list[EngineFacts]:
    """The default engine first."""
    return [engine_facts(service) for service in state_of(request.scope).runtime.services.values()]


@router.get(
    "/api/studio/operate", responses=error_responses(401), summary="What an operator looks at, in one answer"
)
async def operate(request: Request) -> Operate:
    """Streams, queues, the last reports, weights, and the end of the log; no text that is spoken."""
    state = state_of(request.scope)
    models, (said, said_at), runs = await asyncio.gather(
        asyncio.to_thread(models_here, state),
        asyncio.to_thread(reports, state),
        asyncio.to_thread(monitor_runs, state),
    )
    services = state.runtime.services
    return Operate(
        streams=live_streams(state),
        queued={name: service.n_queued for name, service in services.items()},
        capacity={name: service.capacity for name, service in services.items()},
        has_agent=hasattr(request.app.state, "agent"),
        has_library=state.has_library,
        models=models,
        reports=said,
        reported_at=said_at,
        monitor=runs,
        log=log_lines(),
    )
