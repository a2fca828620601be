"""`GET /metrics`: Prometheus' text format."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Response

from ttsops.observe import metrics
from ttsops.server.routes.described import error_responses

router = APIRouter(tags=["metrics"])

_OK: dict[str, Any] = {
    "description": "Prometheus' text format",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: _OK, **error_responses(401)},
    summary="Metrics",
)
async def get_metrics() -> Response:
    """Everything that is counted."""
    content, content_type = await asyncio.to_thread(metrics.render)
    return Response(content, media_type=content_type)
