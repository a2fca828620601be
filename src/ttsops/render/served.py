"""An engine that is served to others at the same time, as a job's thread asks it: without a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ttsops.errors import Cancelled
from ttsops.runtime import Runtime, Stream
from ttsops.speech import AudioChunk, Samples, SpeechRequest

T = TypeVar("T")


class ServedSpeaker:
    """What a `Speaker` is to a job; but its utterances cannot be gone on with: a job keeps whole pieces."""

    def __init__(
        self, runtime: Runtime, engine: str, loop: asyncio.AbstractEventLoop, is_stopped: Callable[[], bool]
    ) -> None:
        """`loop` is the runtime's. Raises `UnknownEngine`. Once `is_stopped`, it ends with `Cancelled`."""
        self._runtime = runtime
        self._loop = loop
        self._is_stopped = is_stopped
        self._service = runtime.service(engine)
        self.card = self._service.card
        self.voices = self._service.voices
        self.weights: Mapping[str, str] = self._service.weights

    def check(self, request: SpeechRequest) -> SpeechRequest:
        """The request with its voice resolved. Raises `RequestError`."""
        return self._service.check(request)

    def speak(
        self, request: SpeechRequest, folder: Path | None = None, number: int = 0
    ) -> Iterator[tuple[Samples, None]]:
        """Samples at 24 kHz as they are made; the engine serves its listeners first."""
        stream = self._wait(self._runtime.open(request, engine=self._service.name, is_live=False))
        try:
            while (chunk := self._wait(_next(stream))) is not None:
                if self._is_stopped():
                    raise Cancelled("the job was stopped")
                yield chunk.samples, None
        finally:
            self._wait(stream.aclose())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _next(stream: Stream) -> AudioChunk | None:
    return await anext(stream, None)
