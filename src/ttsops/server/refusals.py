"""Exceptions of the framework and our own, answered in the one shape that every error has."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ttsops.errors import InvalidValue, NotFound, RequestError, TooLarge, TtsOpsError, UnsupportedFormat
from ttsops.server.errors import error_response, json_response, make_body
from ttsops.server.site import site_of
from ttsops.server.visit import visit_of

_FORMAT_FIELDS = ("response_format", "output_format")


def add_error_handlers(app: FastAPI) -> None:
    """From here on no answer of `app` has another shape."""
    app.add_exception_handler(TtsOpsError, _on_our_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)


async def _on_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TtsOpsError)
    return error_response(error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    refusal = refusal_of(error.errors()[0])
    site_of(request.scope).refused(request.scope["path"], refusal)
    return error_response(refusal)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        body = make_body(405, f"{request.method} is not accepted here", code="method_not_allowed")
        return json_response({"error": body}, 405, error.headers)
    if error.status_code == 404:
        return error_response(NotFound("no such path", hint="GET /openapi.json describes every one"))
    refusal = TooLarge(error.detail) if error.status_code == 413 else RequestError(error.detail)
    site_of(request.scope).refused(request.scope["path"], refusal)
    return error_response(refusal)


async def _on_bug(request: Request, error: Exception) -> Response:
    """The traceback goes to the log; the client gets an id to ask about."""
    request_id = visit_of(request.scope).request_id
    body = make_body(500, f"internal error; request id {request_id}", code="internal")
    return json_response({"error": body}, 500, {"x-request-id": request_id})


def refusal_of(problem: dict[str, Any]) -> RequestError:
    """The first thing that is wrong with a request, in our words.

    `problem` is one of pydantic's: https://docs.pydantic.dev/latest/errors/errors/
    """
    where = [part for part in problem["loc"][1:] if isinstance(part, str)]
    if problem["type"] == "json_invalid":
        return RequestError(f"the body is not JSON: {problem['ctx']['error']}")
    if not where:
        return RequestError(
            "the body must be a JSON object", hint="send it with the header `Content-Type: application/json`"
        )
    # Below a field with several types pydantic names the type it tried; a client knows only the field.
    param = ".".join(where[:2]) if where[0] == "options" else where[0]
    if problem["type"] == "missing":
        return InvalidValue(f"`{param}` is missing", param=param)
    kind = UnsupportedFormat if param in _FORMAT_FIELDS else InvalidValue
    return kind(f"`{param}`: {problem['msg']}", param=param)
