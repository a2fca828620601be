"""Text to samples in this process: which utterances are opened, and how much audio is taken from them.

Knows nothing of files, players or terminals: samples are handed to a sink as they are made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from ttsops.errors import EmptyText
from ttsops.observe.figures import rtf
from ttsops.runtime import EngineService, Runtime, Stream
from ttsops.settings import Settings
from ttsops.speech import SAMPLE_RATE, Samples, SpeechRequest
from ttsops.text import SpeakableText, TextOptions, group_sentences, make_speakable
from ttsops.voices import resolve_voice

FADE_SECONDS = 0.01
"""Where audio is cut off at a set length: long enough for no click, too short to be heard."""

Take = Callable[[Samples], Awaitable[None]]
"""Where samples [N] at 24 kHz go, N > 0; it may wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be said, and how."""

    text: str | AsyncIterator[str]
    """Whole, or in pieces that are spoken while the next are awaited."""

    request: SpeechRequest
    """How; its own text is not looked at."""

    text_options: TextOptions
    seconds: float | None = None
    """Exactly so much audio: the text is repeated, and cut off, as needed. For a whole text only."""

    is_live: bool = False
    """Somebody listens while it is made."""


@dataclass(slots=True)
class Spoken:
    """What came of it."""

    engine: str = ""
    voice: str = ""
    language: str = ""
    """Of the text; empty if nobody says."""

    utterances: int = 0
    text_chars: int = 0
    audio_seconds: float = 0.0
    synthesis_seconds: float = 0.0
    first_audio_seconds: float | None = None
    """Accepted → first audio, of the first utterance; loading the engine is not in it."""

    load_seconds: float | None = None
    underruns: int = 0

    @property
    def rtf(self) -> float | None:
        """Synthesis seconds / audio seconds."""
        return rtf(self.synthesis_seconds, self.audio_seconds)


def only_engine(settings: Settings) -> Settings:
    """The same settings with their default engine alone: the command line speaks with one."""
    engines = {settings.engine: settings.engine_settings(settings.engine)}
    runtime = msgspec.structs.replace(settings.runtime, failover="")
    return msgspec.structs.replace(settings, engines=engines, runtime=runtime)


async def speak(settings: Settings, wish: Wish, take: Take) -> Spoken:
    """Load the engine, say all of it, give the samples to `take`. Raises `TtsOpsError`."""
    async with Runtime(only_engine(settings), in_process=True) as runtime:
        service = runtime.service()
        voice = resolve_voice(wish.request.voice, service.card, service.voices)
        language = _language(wish, service, voice)
        spoken = Spoken(service.name, voice, language, load_seconds=service.load_seconds)
        speaker = _Speaker(runtime, wish, spoken, take)
        if isinstance(wish.text, str):
            await speaker.say_whole(wish.text, language)
        else:
            await speaker.say_arriving(wish.text, language)
        return spoken


def _language(wish: Wish, service: EngineService, voice: str) -> str:
    """Of the text: the one asked for, or the voice's; a variant (`en-us+f3`) speaks as its base does."""
    if wish.request.language:
        return wish.request.language
    ids = (voice, voice.partition("+")[0])
    return next((one.language for one in service.voices if one.id in ids), "")


class _Speaker:
    """Opens one utterance after the other."""

    def __init__(self, runtime: Runtime, wish: Wish, spoken: Spoken, take: Take) -> None:
        self._runtime = runtime
        self._wish = wish
        self._spoken = spoken
        self._take = take
        self._max_chars = runtime.service().card.max_text_chars

    async def say_whole(self, text: str, language: str) -> None:
        """As few utterances as the engine's limit allows, again and again if so much audio is wanted."""
        texts = group_sentences(make_speakable(text, language, self._wish.text_options), self._max_chars)
        while True:
            for one in texts:
                request = replace(self._wish.request, text=one, is_text_complete=True)
                async with await self._open(request) as stream:
                    await self._hear(stream)
                if self._has_enough():
                    return
            if self._wish.seconds is None:
                return

    async def say_arriving(self, pieces: AsyncIterator[str], language: str) -> None:
        """Text that is still being written: one utterance that grows, another when it is full."""
        speakable = SpeakableText(language, self._wish.text_options)
        arriving = _speakable_pieces(pieces, speakable)
        piece = await anext(arriving, "")
        if not piece:
            raise EmptyText("there is nothing to say")
        while piece:
            request = replace(self._wish.request, text=piece[: self._max_chars], is_text_complete=False)
            rest = piece[self._max_chars :]
            async with await self._open(request) as stream:
                piece = await self._hear_while_it_grows(stream, rest, arriving)

    async def _hear_while_it_grows(self, stream: Stream, rest: str, arriving: AsyncIterator[str]) -> str:
        """What did not fit into this utterance; empty if the text has ended."""
        appending = asyncio.create_task(self._append(stream, rest, arriving))
        tasks = {appending, asyncio.create_task(self._hear(stream))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            return appending.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _append(self, stream: Stream, rest: str, arriving: AsyncIterator[str]) -> str:
        """Until the text ends, or the utterance is full: then the piece that did not fit."""
        n_chars = len(stream.request.text)
        while not rest and (piece := await anext(arriving, "")):
            n_chars += len(piece)
            if n_chars > self._max_chars:
                rest = piece
            else:
                stream.append(piece)
                self._spoken.text_chars += len(piece)
        stream.end()
        return rest

    async def _open(self, request: SpeechRequest) -> Stream:
        stream = await self._runtime.open(request, is_live=self._wish.is_live)
        self._spoken.text_chars += len(request.text)
        return stream

    async def _hear(self, stream: Stream) -> None:
        spoken = self._spoken
        opened_at = time.monotonic()
        async for chunk in stream:
            samples = self._cut(chunk.samples)
            if len(samples):
                spoken.audio_seconds += len(samples) / SAMPLE_RATE
                await self._take(samples)
            if self._has_enough():
                break
        stats = stream.stats
        spoken.utterances += 1
        if not self._has_enough():
            spoken.synthesis_seconds += stats.synthesis_seconds or 0.0
        elif not self._wish.is_live:  # cut off: what the engine says would count what nobody took
            spoken.synthesis_seconds += time.monotonic() - opened_at
        spoken.underruns += stats.underruns
        if spoken.first_audio_seconds is None:
            spoken.first_audio_seconds = stats.first_audio_seconds

    def _has_enough(self) -> bool:
        wanted = self._wish.seconds
        return wanted is not None and self._n_missing(wanted) <= 0

    def _n_missing(self, seconds: float) -> int:
        return round((seconds - self._spoken.audio_seconds) * SAMPLE_RATE)

    def _cut(self, samples: Samples) -> Samples:
        """What is still wanted of them; if that is not all, faded out."""
        wanted = self._wish.seconds
        if wanted is None or len(samples) <= (n_missing := self._n_missing(wanted)):
            return samples
        samples = samples[:n_missing].copy()
        n_fade = min(len(samples), round(FADE_SECONDS * SAMPLE_RATE))
        samples[len(samples) - n_fade :] *= np.linspace(1, 0, n_fade, dtype=np.float32)
        return samples


async def _speakable_pieces(pieces: AsyncIterator[str], speakable: SpeakableText) -> AsyncIterator[str]:
    async for piece in pieces:
        if ready := speakable.feed(piece):
            yield ready
    if rest := speakable.end():
        yield rest
