"""How a running server is, asked over HTTP from outside, as a load balancer would.

Uses the standard library only: container probes run it every few seconds.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ttsops.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """What `GET /health` said, or why there was no answer."""

    url: str
    is_up: bool
    """It answered at all."""

    is_ready: bool
    """It would speak."""

    status: str
    """Its own word (`ok`, `degraded`, `loading`, `down`, `draining`), or what is wrong with its answer."""

    body: Mapping[str, Any] = field(default_factory=dict)
    """The whole answer; empty if it was no JSON object."""


def ask_health(url: str, timeout_seconds: float = 5.0) -> ServerHealth:
    """Ask the server at `url`, such as `http://127.0.0.1:8001`. Raises `InvalidValue` for what is no URL."""
    try:
        code, content = _get(url, "/health", timeout_seconds)
    except (OSError, http.client.HTTPException) as error:
        return ServerHealth(url, is_up=False, is_ready=False, status=_reason(error))
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("status"), str):
        return ServerHealth(url, is_up=True, is_ready=False, status=f"HTTP {code}, not a tts-ops server")
    return ServerHealth(
        url, is_up=True, is_ready=code == http.HTTPStatus.OK, status=body["status"], body=body
    )


def _get(url: str, path: str, timeout_seconds: float) -> tuple[int, bytes]:
    # Not urllib: it would send a probe of loopback through the proxy of the environment.
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidValue(f"`{url}` is no address of a server", hint="such as http://127.0.0.1:8001")
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=timeout_seconds)
    try:
        connection.request("GET", parts.path.rstrip("/") + path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError | socket.timeout):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
