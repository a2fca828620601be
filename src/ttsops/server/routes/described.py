"""Parts of the OpenAPI description that several routes share."""

from __future__ import annotations

from typing import Any

from ttsops.audio import CONTENT_TYPES
from ttsops.server.schemas import ErrorBody

_DESCRIPTIONS = {
    400: "Something in the request is not accepted: `param` names it",
    401: "No valid API key",
    404: "No such model, or no such voice",
    409: "A voice of that name, or with that recording, is there already",
    413: "The body is larger than accepted",
    429: "Full, or over the key's limit: try again after `Retry-After` seconds, or elsewhere",
    500: "The engine failed",
    502: "The language model answered wrongly",
    503: "The engine is not ready, or the server is stopping: try again after `Retry-After` seconds",
    504: "The utterance's deadline passed before its first audio",
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
_EXAMPLES = {
    400: ("unknown_voice", "voice", "engine `espeak` has no voice `bob`"),
    401: ("unauthorized", None, "this API key is not valid"),
    404: ("unknown_engine", "model", "engine `tts-9` is not served here; these are: espeak"),
    409: ("duplicate_voice", "file", "voice `en-Bob_man` has this recording already"),
    413: ("too_large", None, "the body is larger than 1048576 bytes"),
    429: ("overloaded", None, "all 256 places are taken and 64 utterances wait already"),
    500: ("engine_failed", None, "the engine failed"),
    502: ("llm_failed", None, "openai sent something that is not its protocol, or broke off"),
    503: ("engine_unavailable", None, "engine `f5` is loading"),
    504: ("deadline_exceeded", None, "the utterance took longer than its deadline"),
}
_TYPES = {401: "authentication_error", 429: "rate_limit_error"}

SPEECH_ERRORS = (400, 401, 404, 413, 429, 500, 503, 504)
"""What a request for speech may be answered with instead of speech."""

EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "One event; `data` is JSON",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}
"""Of an answer that is a stream of events."""

AUDIO_HEADERS: dict[str, Any] = {
    name: {"description": description, "schema": {"type": "string"}}
    for name, description in {
        "x-request-id": "The client's own if it sent one",
        "x-ttsops-engine": "The engine that spoke",
        "x-ttsops-voice": "Id of the voice that spoke",
        "x-ttsops-synthetic": "Always `true`: no person said this",
    }.items()
}


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Each with its meaning, its schema and an example."""
    return {status: _error_response(status) for status in statuses}


def audio_content() -> dict[str, Any]:
    """Every content type that speech can have."""
    return dict.fromkeys(CONTENT_TYPES.values(), _BINARY)


def _error_response(status: int) -> dict[str, Any]:
    code, param, message = _EXAMPLES[status]
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    detail = {"message": message, "type": kind, "param": param, "code": code}
    response: dict[str, Any] = {
        "model": ErrorBody,
        "description": _DESCRIPTIONS[status],
        "content": {"application/json": {"example": {"error": detail}}},
    }
    if status in (429, 503):
        response["headers"] = _RETRY_AFTER
    return response
