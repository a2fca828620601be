"""The OpenAPI description, true to what the server answers."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

DESCRIPTION = """Text to speech. `POST /v1/audio/speech` is OpenAI's; every error has OpenAI's shape.

Text in pieces goes over the WebSocket `/v1/audio/speech/stream`, which OpenAPI cannot describe: see
docs/websocket.md."""


def describe(app: FastAPI, *, has_keys: bool) -> dict[str, Any]:
    """Made once. The framework's own 422 is taken out: a body that is not accepted is a 400 here."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(name, None)
        if has_keys:
            schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"key": []}]
        app.openapi_schema = schema
    return app.openapi_schema
