"""One listener of a stream: takes audio as a player would, and is cut off when the level ends.

Times are readings of the event loop's clock, so that a loop with virtual time can drive it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ttsops.errors import TtsOpsError
from ttsops.ops.loadtest.listener import Ear, Listening
from ttsops.speech import AudioChunk, SpeechRequest

IN_HAND_SECONDS = 0.5
"""A listener takes no more while its player has this much: what came early would hide what comes too late."""


class Source(AbstractAsyncContextManager["Source"], Protocol):
    """A `Stream` of the runtime, or what stands in for one."""

    def __aiter__(self) -> AsyncIterator[AudioChunk]:
        """Its audio, as it is made."""
        ...


Open = Callable[[SpeechRequest], Awaitable[Source]]


async def listen(open_stream: Open, request: SpeechRequest, until: float) -> Listening:
    """Ask now and hear it, to its end or until `until`; what goes wrong is in the result's `error`."""
    clock = asyncio.get_running_loop().time
    listening = Listening(clock(), n_chars=len(request.text), sent_at=clock())
    ear = Ear(listening)
    try:
        async with asyncio.timeout_at(until), await open_stream(request) as stream:
            async for chunk in stream:
                if len(chunk.samples):
                    ear.hear(clock(), chunk.samples, chunk.sample_rate)
                await asyncio.sleep(max(0.0, ear.seconds_in_hand(clock()) - IN_HAND_SECONDS))
            await asyncio.sleep(ear.seconds_in_hand(clock()))
    except TimeoutError:
        ear.hear_nothing(clock())
        if listening.first_audio_at is None:
            listening.error = "no_audio"
    except TtsOpsError as error:
        listening.error = error.code
    listening.ended_at = clock()
    return listening
