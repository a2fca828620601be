"""Lines spoken by a runtime: as many at once as keep its engines busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import numpy as np

from ttsops.audio import encode_speech
from ttsops.batch.order import Order, Speech
from ttsops.engines import registry
from ttsops.errors import NoAudio
from ttsops.runtime import EngineService, Runtime
from ttsops.settings import Settings
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.text import group_sentences, make_speakable
from ttsops.voices import language_of

ENDLESS = 10**9
"""Lines and seconds: nobody waits for a place but this batch."""


class RuntimeSpeaker:
    """The engines of a runtime that has started."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.n_at_once = max(_n_at_once(service) for service in runtime.services.values())
        self.weights = {name: service.weights for name, service in runtime.services.items()}

    async def speak(self, order: Order) -> Speech:
        """All of it, encoded. Raises `TtsOpsError`."""
        return await speak_order(self._runtime, order)


@asynccontextmanager
async def runtime_speaker(settings: Settings, engines: Collection[str]) -> AsyncIterator[RuntimeSpeaker]:
    """Loads `engines`, each in a worker process; ends them with the block.

    Names of no engine are left out: whoever asks for them is told. Raises why one cannot be loaded.
    """
    async with Runtime(batch_settings(settings, engines)) as runtime:
        for service in runtime.services.values():
            await service.wait_ready()
        yield RuntimeSpeaker(runtime)


def batch_settings(settings: Settings, engines: Collection[str]) -> Settings:
    """The same settings with these engines alone, none of which stands in for another."""
    known = [name for name in engines if name in registry.names()] or [settings.engine]
    return msgspec.structs.replace(
        settings,
        engine=known[0],
        engines={name: settings.engine_settings(name) for name in known},
        runtime=msgspec.structs.replace(
            settings.runtime, failover="", max_queue=ENDLESS, max_queue_seconds=ENDLESS
        ),
    )


async def speak_order(runtime: Runtime, order: Order) -> Speech:
    """One line, as a file that nobody waits for. Raises `TtsOpsError`."""
    service = runtime.service(order.engine)
    language = order.request.language
    if not language and service.voices:
        language = language_of(order.request.voice, service.card, service.voices)
    text = make_speakable(order.request.text, language, order.text_options)
    heard: list[Samples] = []
    voice = ""
    for one in group_sentences(text, service.card.max_text_chars):
        request = replace(order.request, text=one)
        async with await runtime.open(request, engine=order.engine, is_live=False) as stream:
            voice = stream.request.voice
            heard += [chunk.samples async for chunk in stream]
    samples = np.concatenate(heard) if heard else np.zeros(0, np.float32)
    if not len(samples):
        raise NoAudio("nothing in this text can be spoken", param="text", hint="send words")
    data = await asyncio.to_thread(encode_speech, samples, order.format, service.name)
    return Speech(data, len(samples) / SAMPLE_RATE, voice)


def _n_at_once(service: EngineService) -> int:
    """What it steps together, and as many again that are encoded and written meanwhile."""
    return min(service.capacity, 2 * service.card.max_batch)
