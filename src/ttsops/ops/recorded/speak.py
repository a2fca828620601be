"""One engine in a process of its own, and what is asked of it one after the other.

A fresh process, because some engines carry state from one utterance to the next: from a fresh one, the same
sequence gives the same samples.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import numpy as np

from ttsops.engines import registry
from ttsops.ops.random_weights import OPTION, RandomWeights, with_random_weights
from ttsops.ops.recorded.manifest import Wish
from ttsops.runtime import Runtime
from ttsops.runtime.control import ControlSurface, voice_language
from ttsops.settings import Settings
from ttsops.speech import Samples, SpeechRequest
from ttsops.text import TextOptions, make_speakable
from ttsops.voices import resolve_voice

TEXT_OPTIONS = TextOptions()
"""As a caller has them who says nothing."""


class Speaker:
    """An engine that is loaded."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._service = runtime.service()

    def request(self, text: str, wish: Wish) -> SpeechRequest:
        """As the ordinary path makes it: voice resolved, text speakable. Raises `RequestError`."""
        service = self._service
        voice = resolve_voice(wish.voice, service.card, service.voices)
        language = wish.language or voice_language(voice, service.voices)
        return service.check(
            SpeechRequest(
                make_speakable(text, language, TEXT_OPTIONS),
                voice=voice,
                language=wish.language,
                speed=wish.speed,
                pitch=wish.pitch,
                seed=wish.seed,
                options=wish.options,
            )
        )

    def control(self, request: SpeechRequest) -> ControlSurface:
        """Every parameter of it that is heard."""
        return self._service.control(request, TEXT_OPTIONS)

    async def say(self, request: SpeechRequest) -> Samples:
        """Samples [N] at 24 kHz. Raises what the engine raises."""
        async with await self._runtime.open(request, is_live=False) as stream:
            parts = [chunk.samples async for chunk in stream]
        return np.concatenate([np.zeros(0, np.float32), *parts])


@asynccontextmanager
async def speaking(settings: Settings) -> AsyncIterator[Speaker]:
    """The default engine of `settings` in a fresh process. Raises what stops it from loading."""
    async with Runtime(settings) as runtime:
        yield Speaker(runtime)


def alone(settings: Settings, engine: str, random_weights: RandomWeights = "") -> Settings:
    """The same settings with this engine alone: nobody stands in for what is recorded.

    Random weights are for engines that have weights; the others speak as they do.
    """
    setup = settings.engine_settings(engine)
    if random_weights and has_weights(engine):
        setup = with_random_weights(engine, setup, random_weights)
    runtime = msgspec.structs.replace(settings.runtime, failover="")
    return msgspec.structs.replace(settings, engine=engine, engines={engine: setup}, runtime=runtime)


def has_weights(engine: str) -> bool:
    """Whether it can be set up with random ones."""
    return OPTION in {spec.name for spec in registry.card(engine).setup}


def as_json(surface: ControlSurface) -> Mapping[str, object]:
    """As a manifest keeps it."""
    tree: dict[str, object] = msgspec.json.decode(msgspec.json.encode(surface))
    return tree
