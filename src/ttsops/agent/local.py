"""Turns spoken by the engines of this process's own runtime."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import replace

from ttsops.agent.speaking import Manner, Spoken
from ttsops.engines.contract import NO_SAMPLES
from ttsops.errors import Cancelled, NoAudio
from ttsops.runtime import EngineService, Runtime, Segment, Stream
from ttsops.speech import SAMPLE_RATE, Mark, SpeechRequest
from ttsops.text import PhraseSplitter
from ttsops.voices import language_of

JOINED_CHARS = 300
"""Clauses that wait while one is spoken are spoken together, up to so many characters: they sound better."""


class LocalSpeech:
    """The runtime as a place to speak. It is started and stopped by whoever made it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def open(self, manner: Manner) -> LocalSpeaking:
        """Takes no place in the engine yet. Raises `UnknownEngine`, `UnknownVoice` or another refusal."""
        service = self._runtime.service(manner.engine)
        request = SpeechRequest(
            text="", is_text_complete=False, voice=manner.voice, language=manner.language, speed=manner.speed
        )
        language = manner.language
        if service.voices:  # while it loads, nobody knows them yet
            service.check(request)
            language = language or language_of(manner.voice, service.card, service.voices)
        return LocalSpeaking(self._runtime, service, request, language)

    async def is_ready(self) -> bool:
        """The default engine, or the one that stands in, would speak now."""
        return self._runtime.is_ready

    async def aclose(self) -> None:
        """The runtime is its owner's."""


class LocalSpeaking:
    """One turn: an utterance that grows where the engine takes text in pieces, else one for every clause."""

    def __init__(
        self, runtime: Runtime, service: EngineService, request: SpeechRequest, language: str
    ) -> None:
        self.language = language
        self.engine = service.name
        self.voice = request.voice
        self._runtime = runtime
        self._card = service.card
        self._request = request
        self._splitter = None if service.card.takes_text_in_pieces else PhraseSplitter()
        self._growing: Segment | None = None
        self._held = ""
        self._waiting: deque[Segment] = deque()
        self._work = asyncio.Event()
        self._is_ended = False
        self._reason = ""
        self._segment: Segment | None = None

    # ---- text in -----------------------------------------------------------------------

    def say(self, text: str) -> None:
        """More text; after `cancel` it is dropped."""
        if self._reason:
            return
        if self._splitter is None:
            self._grow(text)
        else:
            self._queue_whole(self._splitter.feed(text))

    def end(self) -> None:
        """No more text."""
        if self._splitter is not None and not self._reason:
            self._queue_whole(self._splitter.end())
        self._end_growing()
        self._is_ended = True
        self._work.set()

    def cancel(self, reason: str) -> None:
        """What speaks ends now, what waits is dropped."""
        self._reason = self._reason or reason
        self._waiting.clear()
        if self._segment is not None:
            self._segment.cancel(self._reason)
        self._work.set()

    def _grow(self, text: str) -> None:
        growing = self._growing
        if growing is not None and len(growing.text) + len(text) > self._card.max_text_chars:
            self._end_growing()
        if self._growing is not None:
            self._growing.feed(text)
        elif spoken := self._with_held(text):
            self._growing = Segment(spoken)
            self._queue(self._growing)

    def _end_growing(self) -> None:
        if self._growing is not None:
            self._growing.end()
            self._growing = None

    def _queue_whole(self, clauses: list[str]) -> None:
        for clause in clauses:
            if spoken := self._with_held(clause):
                last = self._waiting[-1] if self._waiting else None
                if last is not None and len(last.text) + len(spoken) <= JOINED_CHARS:
                    last.text += spoken
                else:
                    self._queue(Segment(spoken, is_ended=True))

    def _queue(self, segment: Segment) -> None:
        self._waiting.append(segment)
        self._work.set()

    def _with_held(self, text: str) -> str:
        """White space alone is nothing to speak: it waits for what follows it."""
        self._held += text
        if not self._held.strip():
            return ""
        spoken, self._held = self._held, ""
        return spoken

    # ---- audio out ---------------------------------------------------------------------

    async def heard(self) -> AsyncGenerator[Spoken, None]:
        """The audio of all segments, one after the other. Signs that cannot be spoken are passed over."""
        n_chars = n_samples = 0
        while (segment := await self._next()) is not None:
            stream = await self._open(segment)
            first_sample = n_samples
            try:
                async with stream:
                    async for chunk in stream:
                        marks = tuple(_place(mark, first_sample, n_chars) for mark in chunk.marks)
                        n_samples += len(chunk.samples)
                        yield Spoken(chunk.samples, marks)
            except NoAudio:
                pass
            except Cancelled:
                if not self._reason:
                    raise
                return
            n_chars += len(segment.text)
            yield Spoken(NO_SAMPLES, n_chars_done=n_chars)

    async def _next(self) -> Segment | None:
        while not self._waiting and not self._reason and not self._is_ended:
            self._work.clear()
            await self._work.wait()
        return self._waiting.popleft() if self._waiting and not self._reason else None

    async def _open(self, segment: Segment) -> Stream:
        text = segment.text
        request = replace(self._request, text=text, is_text_complete=segment.is_ended)
        # What `Agent.begin` let in is spoken to its end.
        stream = await self._runtime.open(request, engine=self.engine, goes_on=True)
        # No `await` from here on: whoever cancels now finds the stream.
        self._segment = segment
        self.engine, self.voice = stream.engine, stream.request.voice
        segment.attach(stream, len(text))
        if self._reason:
            segment.cancel(self._reason)
        return stream

    async def aclose(self) -> None:
        """Cut off what is left; the place in the engine is given back by `heard`, when it is closed."""
        self.cancel("hangup")


def _place(mark: Mark, n_samples: int, n_chars: int) -> Mark:
    return replace(
        mark,
        start_seconds=mark.start_seconds + n_samples / SAMPLE_RATE,
        text_start=mark.text_start + n_chars,
    )
