"""A listener as lean as the standard library allows, so that the figures are the server's.

Speaks HTTP/1.1 with a chunked answer over one TCP connection. It measures only; it decodes nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

BYTES_PER_SECOND = 48_000
"""s16le mono at 24 kHz."""


@dataclass(slots=True)
class Heard:
    """One answer. Seconds count from the moment the request was written."""

    status: int = 0
    first_byte_seconds: float = 0.0
    """To the first byte of audio."""
    n_bytes: int = 0
    underruns: int = 0
    underrun_seconds: float = 0.0
    is_complete: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def audio_seconds(self) -> float:
        return self.n_bytes / BYTES_PER_SECOND


class Listener:
    """One connection, kept open between requests as an SDK keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def hear(self, body: dict[str, object], path: str = "/v1/audio/speech") -> Heard:
        """Ask for PCM and read all of it, playing along to count underruns."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        payload = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        )
        asked_at = time.perf_counter()
        self._writer.write(head.encode() + payload)
        heard = await self._read_head(self._reader)
        await self._read_body(self._reader, heard, asked_at)
        return heard

    async def _read_head(self, reader: asyncio.StreamReader) -> Heard:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        return Heard(status=int(lines[0].split(" ")[1]), headers=headers)

    async def _read_body(self, reader: asyncio.StreamReader, heard: Heard, asked_at: float) -> None:
        if "content-length" in heard.headers:
            heard.n_bytes = len(await reader.readexactly(int(heard.headers["content-length"])))
            return
        dry_at = 0.0
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
            now = time.perf_counter()
            if not heard.n_bytes:
                heard.first_byte_seconds = now - asked_at
                dry_at = now
            elif now > dry_at:
                heard.underruns += 1
                heard.underrun_seconds += now - dry_at
                dry_at = now
            heard.n_bytes += size
            dry_at += size / BYTES_PER_SECOND
        await reader.readline()
        heard.is_complete = True

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
