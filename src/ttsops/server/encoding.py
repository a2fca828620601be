"""From a stream's samples to the bytes of one format, off the event loop where that is worth a thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ttsops.audio import NO_TAGS, Encoder, Format, create_encoder, synthetic_speech
from ttsops.runtime import Stream
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.text import make_speakable

COST_SECONDS: Mapping[Format, float] = {
    Format.MP3: 0.0053,
    Format.OPUS: 0.0045,
    Format.AAC: 0.0028,
    Format.FLAC: 0.0007,
    Format.WAV: 0.00012,
    Format.PCM: 0.00012,
}
"""To encode a second of audio, measured in chunks of 80 ms on a 2.x GHz server core."""

WORTH_A_THREAD_SECONDS = 250e-6
"""Twice what it costs to hand a chunk to a thread and be woken by it (116 µs, same core)."""

N_THREADS = min(8, max(2, (os.cpu_count() or 2) // 2))
"""Codecs let go of the interpreter's lock; half of the machine is left to the event loop and the engines."""


class EncoderPool:
    """Threads for encoders. A stream awaits each of its chunks, so that they stay in order."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(N_THREADS, thread_name_prefix="encoder")

    async def warm_up(self) -> None:
        """Use every codec and text rule once: 150 ms of imports that the first listener need not wait for."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, make_speakable, "1 👍", "en")
        for fmt in Format:
            await loop.run_in_executor(self._threads, _encode_silence, fmt)

    async def encode(self, encoder: Encoder, samples: Samples) -> bytes:
        """What can leave now. Raises `BadAudio` for samples that are not finite."""
        if COST_SECONDS[encoder.format] * len(samples) < WORTH_A_THREAD_SECONDS * encoder.sample_rate:
            return encoder.encode(samples)
        return await asyncio.get_running_loop().run_in_executor(self._threads, encoder.encode, samples)

    async def encoded(self, stream: Stream, encoder: Encoder) -> AsyncGenerator[bytes, None]:
        """The stream as bytes, each piece as early as the format allows. Raises what the stream raises."""
        async for chunk in stream:
            if data := await self.encode(encoder, chunk.samples):
                yield data
        if tail := encoder.finish():
            yield tail

    async def encode_all(self, encoder: Encoder, chunks: Sequence[Samples]) -> bytes:
        """A whole file at once: minutes of audio, so always off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _encode_all, encoder, chunks)

    def close(self) -> None:
        """Nothing may follow."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def encoder_for(stream: Stream, fmt: Format, *, total_samples: int | None = None) -> Encoder:
    """`encoder_of` the engine that speaks in `stream`."""
    return encoder_of(stream.engine, fmt, total_samples=total_samples)


def encoder_of(engine: str, fmt: Format, *, total_samples: int | None = None) -> Encoder:
    """An encoder whose output says that no person spoke, where the format has a place for it.

    A WAV that is played while it comes has the 44 byte header and no more: players that skip just so many
    bytes would play tags as a click. The answer's `x-ttsops-synthetic` header says it there.
    """
    is_live_wav = fmt is Format.WAV and total_samples is None
    tags = NO_TAGS if is_live_wav else synthetic_speech(engine)
    return create_encoder(fmt, total_samples=total_samples, tags=tags)


def _encode_all(encoder: Encoder, chunks: Sequence[Samples]) -> bytes:
    return b"".join([*map(encoder.encode, chunks), encoder.finish()])


def _encode_silence(fmt: Format) -> None:
    _encode_all(create_encoder(fmt), [np.zeros(SAMPLE_RATE // 10, np.float32)])
