"""The door: who calls, with which key, and with how large a body. Plain ASGI: streams pay nothing for it.

Everything but the pages for probes and people asks for a key, where keys are asked for at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ttsops.errors import TooLarge, TtsOpsError, Unauthorized
from ttsops.observe import tracing
from ttsops.observe.logs import bound
from ttsops.server.errors import error_response
from ttsops.server.quota import Quota
from ttsops.server.site import SiteState
from ttsops.server.visit import Visit, choose_request_id, leave_visit

_BEGINNINGS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

_FORM = b"multipart/form-data"

REFERENCE_PATH = re.compile(r"/api/voices/[^/]+/reference|/v1/audio/voices|/v1/audio/voice_consents")
"""Recordings come here, and are larger than texts."""

OPEN_PATHS = frozenset({"/", "/health", "/health/live", "/health/ready", "/openapi.json", "/docs"})


UNTRACED_PATHS = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
"""Probes and scrapes, which come all the time."""

PROTOCOL = "ttsops"
"""What a page asks for beside its key: a browser drops the socket if no subprotocol is chosen."""

KEY_PROTOCOL = "ttsops-key."
"""A subprotocol that carries a key: a page can set no other header of a handshake."""

OPEN_FOLDER = "/studio/"
"""The page's own files: it asks for the key, and they hold nothing."""


class Gate:
    """Outermost but for CORS, which must also answer for those who are turned away."""

    def __init__(self, app: ASGIApp, state: SiteState) -> None:
        self._app = app
        self._state = state
        self._max_body_bytes = state.settings.server.max_body_bytes
        self._max_reference_bytes = state.settings.voices.max_reference_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in or turn away, as ASGI wants it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = choose_request_id(headers.get(b"x-request-id"))
        trace = tracing.OFF
        if tracing.is_on() and scope["path"] not in UNTRACED_PATHS:
            trace = _begin_trace(scope, headers, request_id)
        protocols = _subprotocols(scope, headers)
        names = [(b"x-request-id", request_id.encode())]
        if trace.trace_id:
            names.append((tracing.TRACE_HEADER.encode(), trace.trace_id.encode()))

        if self._state.is_draining and scope["type"] == "http":
            names.append((b"connection", b"close"))  # the next request is not to be sent here

        async def send_with_id(message: Message) -> None:
            if message["type"] in _BEGINNINGS:
                message["headers"] = [*message.get("headers", ()), *names]
                trace.set(status=message.get("status"))
                if PROTOCOL in protocols and message["type"] == "websocket.accept":
                    message["subprotocol"] = PROTOCOL
            await send(message)

        try:
            if scope["type"] == "websocket":
                self._state.check_can_begin()
            quota = self._admit(scope["path"], headers, protocols)
            if scope["type"] == "websocket" or headers.get(b"content-type", b"").lower().startswith(_FORM):
                self._check_origin(headers)
            if scope["type"] == "http":
                receive = _limited(headers, receive, self._max_bytes(scope["path"]))
        except TtsOpsError as error:
            self._state.refused(scope["path"], error)
            await error_response(error)(scope, receive, send_with_id)
            trace.end(error.code)
            return
        leave_visit(scope, Visit(request_id, quota))
        if not trace.trace_id:
            await self._app(scope, receive, send_with_id)
            return
        with tracing.as_current(trace), bound(trace_id=trace.trace_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                trace.end()

    def _admit(self, path: str, headers: Mapping[bytes, bytes], protocols: Sequence[str]) -> Quota | None:
        keys = self._state.keys
        if keys is None or path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return None
        secret = _secret(headers, protocols)
        if not secret:
            raise Unauthorized(
                "an API key is needed here", hint="send it as the header `Authorization: Bearer KEY`"
            )
        key = keys.find(secret)
        if key is None:
            raise Unauthorized("this API key is not valid", hint="ask the operator for one")
        return self._state.quotas.of(key)

    def _check_origin(self, headers: Mapping[bytes, bytes]) -> None:
        """A web page may open a socket or send a form to any host, and no preflight asks first: ask here."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        allowed = self._state.settings.server.cors_origins
        if not origin or origin in allowed or "*" in allowed:
            return
        if urlsplit(origin).netloc.lower() != headers.get(b"host", b"").decode("latin-1").lower():
            raise Unauthorized(
                "pages from this origin may not connect", hint="name the origin in `server.cors_origins`"
            )

    def _max_bytes(self, path: str) -> int:
        return self._max_reference_bytes if REFERENCE_PATH.fullmatch(path) else self._max_body_bytes


def _subprotocols(scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    if scope["type"] != "websocket":
        return ()
    offered = headers.get(b"sec-websocket-protocol", b"").decode("latin-1")
    return tuple(one.strip() for one in offered.split(","))


def _secret(headers: Mapping[bytes, bytes], protocols: Sequence[str]) -> str:
    scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    carried = (one.removeprefix(KEY_PROTOCOL) for one in protocols if one.startswith(KEY_PROTOCOL))
    return next(carried, "")


def _limited(headers: Mapping[bytes, bytes], receive: Receive, max_bytes: int) -> Receive:
    """`receive` that gives no more than a body may have. Raises `TooLarge` if it is announced larger."""
    too_large = f"the body is larger than {max_bytes} bytes"
    announced = headers.get(b"content-length")
    if announced is not None and announced.isdigit():
        if int(announced) > max_bytes:
            raise TooLarge(too_large)
        return receive  # the HTTP parser holds the client to its word
    if b"transfer-encoding" not in headers:
        return receive
    n_bytes = 0

    async def receive_limited() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > max_bytes:
            raise HTTPException(413, too_large)  # what the framework lets through
        return message

    return receive_limited


def _begin_trace(scope: Scope, headers: Mapping[bytes, bytes], request_id: str) -> tracing.Trace:
    method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
    parent = headers.get(tracing.PARENT_HEADER.encode(), b"").decode("latin-1")
    return tracing.begin(f"{method} {scope['path']}", parent, request_id=request_id)
