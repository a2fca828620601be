"""A server as a client meets it: spoken to, cut off, asked how it is. Blocking, by the standard library."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ttsops.errors import InvalidValue

SPEECH = "/v1/audio/speech"
TIMEOUT_SECONDS = 60.0
READ_BYTES = 1 << 16
SMALL_BUFFER_BYTES = 4096
"""Of a reader who does not read: what the kernel keeps for it would let a server finish."""

WAV_HEADER_BYTES = 44
OK = 200


@dataclass(frozen=True, slots=True)
class Spoken:
    """One text, as it came over the wire. Times are seconds from the moment it was asked for."""

    wav: bytes
    chunks: int
    """Pieces with audio."""

    first_chunk_seconds: float
    seconds: float
    """To the last byte."""

    problem: str = ""
    """Why there is no audio; empty if there is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers in lower case, and a body if it was no audio."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Of its error; empty if it has none."""
        try:
            return str(json.loads(self.body)["error"]["code"])
        except (ValueError, TypeError, KeyError):
            return ""


class Client:
    """Speaks with one engine of one server. Raises `InvalidValue` for what is no URL."""

    def __init__(self, url: str, engine: str, *, voice: str = "", api_key: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidValue(f"`{url}` is no address of a server", hint="such as http://127.0.0.1:8001")
        self.url = url
        self.engine = engine
        self._parts = parts
        self._voice = voice
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def speak(self, text: str) -> Spoken:
        """All of a text as a streamed WAV. Raises `OSError` if the connection breaks."""
        started_at = time.monotonic()
        connection = self._connect()
        try:
            response = self._post(connection, text)
            if response.status != OK:
                seconds = time.monotonic() - started_at
                return Spoken(b"", 0, seconds, seconds, _problem(response.status, response.read()))
            return _hear(response, started_at)
        finally:
            connection.close()

    @contextmanager
    def unread(self, text: str) -> Iterator[Answer]:
        """Ask for a text, read the beginning of the answer and no more; leaving the block hangs up."""
        connection = self._connect(buffer_bytes=SMALL_BUFFER_BYTES)
        try:
            response = self._post(connection, text)
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = response.read1(1) if response.status == OK else response.read()
            yield Answer(response.status, headers, body)
        finally:
            if connection.sock is not None:
                connection.sock.close()
            connection.close()

    def health(self) -> dict[str, Any]:
        """What `GET /health` says. Raises `OSError`, `ValueError`."""
        connection = self._connect()
        try:
            connection.request("GET", self._path("/health"), headers=self._headers)
            tree = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return tree if isinstance(tree, dict) else {}

    def engine_health(self) -> dict[str, Any]:
        """Of the engine; empty if the server has none of that name."""
        found = self.health().get("engines", {}).get(self.engine, {})
        return found if isinstance(found, dict) else {}

    def n_taken(self) -> int:
        """Places taken and waited for."""
        health = self.engine_health()
        return int(health.get("live", 0)) + int(health.get("queued", 0))

    def wait_free(self, limit_seconds: float) -> float | None:
        """Seconds until nobody has a place; None if somebody still has when the limit has passed."""
        started_at = time.monotonic()
        while (waited := time.monotonic() - started_at) <= limit_seconds:
            if not self.n_taken():
                return waited
            time.sleep(0.01)
        return None

    def _post(self, connection: http.client.HTTPConnection, text: str) -> http.client.HTTPResponse:
        body = {"model": self.engine, "input": text, "response_format": "wav"}
        if self._voice:
            body["voice"] = self._voice
        connection.request("POST", self._path(SPEECH), body=json.dumps(body), headers=self._headers)
        return connection.getresponse()

    def _path(self, path: str) -> str:
        return self._parts.path.rstrip("/").removesuffix("/v1") + path

    def _connect(self, buffer_bytes: int | None = None) -> http.client.HTTPConnection:
        # Not urllib: it would send loopback through the proxy of the environment.
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        host = self._parts.hostname
        assert host is not None
        connection = kind(host, self._parts.port, timeout=TIMEOUT_SECONDS)
        if buffer_bytes is not None:
            connection.connect()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        return connection


def _hear(response: http.client.HTTPResponse, started_at: float) -> Spoken:
    data, n_chunks, first_at, problem = bytearray(), 0, 0.0, ""
    try:
        while piece := response.read1(READ_BYTES):
            data += piece
            if len(data) > WAV_HEADER_BYTES:
                n_chunks += 1
                first_at = first_at or time.monotonic()
    except http.client.HTTPException:
        problem = f"it breaks off after {len(data)} bytes"
    ended_at = time.monotonic()
    first_seconds = (first_at or ended_at) - started_at
    return Spoken(bytes(data), n_chunks, first_seconds, ended_at - started_at, problem)


def _problem(status: int, body: bytes) -> str:
    try:
        error = json.loads(body)["error"]
        return f"HTTP {status}, {error['code']}: {error['message']}"
    except (ValueError, TypeError, KeyError):
        return f"HTTP {status}"
