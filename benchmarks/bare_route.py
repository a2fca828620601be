"""The floor: an ASGI route under bare uvicorn that streams as many bytes at the same pace."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from benchmarks.listener import BYTES_PER_SECOND

Message = MutableMapping[str, Any]
CHUNK_SECONDS = 0.08
SECONDS_PER_CHAR = 0.06


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Audio as long as the text would be; `pace` is seconds of waiting per second of audio."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    order = json.loads(body)
    n_bytes = round(len(order["input"]) * SECONDS_PER_CHAR * BYTES_PER_SECOND)
    chunk = bytes(round(CHUNK_SECONDS * BYTES_PER_SECOND))
    pace = float(order.get("pace", 0.0))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"audio/pcm")]})
    while n_bytes > 0:
        if pace:
            await asyncio.sleep(pace * CHUNK_SECONDS)
        await send({"type": "http.response.body", "body": chunk[:n_bytes], "more_body": True})
        n_bytes -= len(chunk)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning"
    )
