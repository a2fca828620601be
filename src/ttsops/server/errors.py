"""The one mapping from errors to HTTP: status, body, headers.

A caller's mistake is a 4xx and stays one. What another try may mend is 429 (full: this instance is healthy)
or 503 (not now) and carries `Retry-After`. The body has OpenAI's shape, so that their clients raise the right
class:

    {"error": {"message": "…", "type": "invalid_request_error", "param": "voice", "code": "unknown_voice"}}

`code` is ours and stable. `hint`, where there is one, is an addition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from ttsops import errors
from ttsops.agent import failures
from ttsops.errors import TtsOpsError

STATUS: Mapping[type[TtsOpsError], int] = {
    errors.TtsOpsError: 500,
    errors.RequestError: 400,
    errors.Unauthorized: 401,
    errors.NotFound: 404,
    errors.UnknownEngine: 404,  # as OpenAI answers for a model it does not have
    errors.TooLarge: 413,
    errors.NoReferences: 404,
    errors.VoiceNotFound: 404,
    errors.NoOverride: 404,
    errors.ConsentNotFound: 404,
    errors.DuplicateVoice: 409,
    errors.CapacityError: 503,
    errors.Overloaded: 429,
    errors.RateLimited: 429,
    errors.Draining: 503,
    errors.EngineError: 500,
    errors.EngineUnavailable: 503,
    errors.NoAudio: 400,  # the engine is well, and no other try would find more in this text
    errors.WorkerDied: 503,  # a new worker is on its way: worth another try
    errors.EngineHung: 503,
    errors.StreamEnded: 503,  # whoever cancelled is gone; a listener who still reads may try again
    errors.DeadlineExceeded: 504,
    errors.SlowReader: 408,
    errors.ConfigError: 500,
    errors.AudioError: 500,
    failures.LlmError: 502,
    failures.LlmUnavailable: 503,
    failures.LlmTimeout: 504,
}
"""A class that is not here has its parent's status."""

LEAST_RETRY_SECONDS = 1
"""Sent with a 429 or 503 whose wait nobody could measure."""


def status_of(error: TtsOpsError) -> int:
    """The HTTP status of an answer that is only this error."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def body_of(error: TtsOpsError) -> dict[str, Any]:
    """The value of `error` in an answer, an SSE event or a WebSocket event."""
    return make_body(status_of(error), error.message, code=error.code, param=error.param, hint=error.hint)


def make_body(
    status: int, message: str, *, code: str, param: str | None = None, hint: str | None = None
) -> dict[str, Any]:
    """The same from its parts, for what has no class of its own (405, a bug)."""
    body = {"message": message, "type": _type_of(status), "param": param, "code": code}
    return body | ({"hint": hint} if hint else {})


def error_response(error: TtsOpsError, headers: Mapping[str, str] | None = None) -> Response:
    """The whole answer."""
    status = status_of(error)
    extra = dict(headers or {})
    if status in (429, 503):
        extra["retry-after"] = str(retry_after_seconds(error))
    if status == 401:
        extra["www-authenticate"] = "Bearer"
    return json_response({"error": body_of(error)}, status, extra)


def retry_after_seconds(error: TtsOpsError) -> int:
    """Whole seconds, as the header wants them: never earlier than the error says."""
    return max(LEAST_RETRY_SECONDS, math.ceil(error.retry_after or 0.0))


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON by msgspec, which is quicker than the standard library's and knows dataclasses."""
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def _type_of(status: int) -> str:
    if status >= 500:
        return "server_error"
    return {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
