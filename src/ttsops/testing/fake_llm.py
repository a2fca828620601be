"""A language model's server that says what it is told, at a set pace, in two real wire protocols.

`POST /v1/chat/completions` streams as OpenAI does, `POST /v1/messages` as Anthropic does, over a real socket.
It can be slow, break off, talk nonsense, refuse, and it notices when its client hangs up.

https://platform.openai.com/docs/api-reference/chat-streaming
https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Reply:
    """How one request is answered."""

    tokens: Sequence[str] = ("Hello ", "there.")
    first_seconds: float = 0.0
    """Before the first token."""
    token_seconds: float = 0.0
    """Between two tokens."""
    status: int = 200
    """Any other is answered with an error body of the protocol's shape."""
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """More of them, with a bad status."""
    ending: Literal["done", "cut", "early", "nonsense", "error", "silence"] = "done"
    """After the tokens: as it should be; the connection is broken; the body ends as if complete, without the
    protocol's end; something that is no JSON; the protocol's error event; nothing for ever."""


@dataclass(slots=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    hung_up_at: float | None = None
    """`time.perf_counter()` when the client was gone before the end; None if it was not."""
    n_sent: int = 0
    """Tokens sent."""
    token_at: list[float] = field(default_factory=list)
    """`time.perf_counter()` of each token."""


class FakeLlm:
    """`async with FakeLlm(Reply(...)) as llm: llm.url`. The last reply is given to all further requests."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies or (Reply(),))
        self.asked: list[Asked] = []
        self.url = ""
        self._server: asyncio.Server
        self._answering: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> FakeLlm:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self._answering.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await _read_request(reader)
        self.asked.append(asked)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply.status != 200:
            writer.write(_refusal(reply))
            await writer.drain()
            return
        telling = asyncio.create_task(_tell(asked, reply, writer))
        gone = asyncio.create_task(reader.read())
        await asyncio.wait((telling, gone), return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            asked.hung_up_at = time.perf_counter()
        for one in (telling, gone):
            one.cancel()
        await asyncio.gather(telling, gone, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(head[0].split(" ")[1], headers, json.loads(body or b"{}"))


async def _tell(asked: Asked, reply: Reply, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    protocol = _ANTHROPIC if asked.path.endswith("/messages") else _OPENAI
    await asyncio.sleep(reply.first_seconds)
    for event in protocol.opening:
        await _send(writer, event)
    began_at = time.perf_counter()
    for number, token in enumerate(reply.tokens):
        # Against the clock, so that what each sending takes does not add up.
        await asyncio.sleep(max(0.0, began_at + number * reply.token_seconds - time.perf_counter()))
        asked.token_at.append(time.perf_counter())
        asked.n_sent += 1
        await _send(writer, protocol.token(token))
    await _finish(writer, reply, protocol)


async def _finish(writer: asyncio.StreamWriter, reply: Reply, protocol: _Protocol) -> None:
    match reply.ending:
        case "cut":
            writer.transport.abort()
            return
        case "silence":
            await asyncio.Event().wait()
        case "nonsense":
            await _send(writer, 'event: content_block_delta\ndata: {"half": \n\n')
        case "error":
            await _send(writer, protocol.error)
        case "done":
            for event in protocol.closing:
                await _send(writer, event)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _send(writer: asyncio.StreamWriter, event: str) -> None:
    data = event.encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


def _refusal(reply: Reply) -> bytes:
    body = json.dumps(
        {"type": "error", "error": {"type": "some_error", "message": "no", "code": "no"}}
    ).encode()
    lines = [
        f"HTTP/1.1 {reply.status} No",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
        *([f"retry-after: {reply.retry_after}"] if reply.retry_after else []),
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


# ---- the two protocols -----------------------------------------------------------------


def _chunk(delta: dict[str, str], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    return f"data: {json.dumps(head | {'choices': [choice]})}\n\n"


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n"


def _anthropic_opening() -> Iterator[str]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message: dict[str, Any] = {
        "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "fake",
        "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    yield _event("message_start", message=message)
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _event("ping")


def _anthropic_closing() -> Iterator[str]:
    yield _event("content_block_stop", index=0)
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage={"output_tokens": 5})
    yield _event("message_stop")


def _anthropic_text(token: str) -> str:
    return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": token})


@dataclass(frozen=True, slots=True)
class _Protocol:
    opening: Sequence[str]
    token: Callable[[str], str]
    closing: Sequence[str]
    error: str


_OPENAI = _Protocol(
    opening=(_chunk({"role": "assistant", "content": ""}),),
    token=lambda token: _chunk({"content": token}),
    closing=(_chunk({}, "stop"), "data: [DONE]\n\n"),
    error='data: {"error": {"message": "it broke", "type": "server_error", "code": null}}\n\n',
)
_ANTHROPIC = _Protocol(
    opening=tuple(_anthropic_opening()),
    token=_anthropic_text,
    closing=tuple(_anthropic_closing()),
    error=_event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
)
