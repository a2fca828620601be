"""One question and its answer, spoken while it is written.

Two tasks: one reads the model and gives its text to be spoken at once, one hands on the audio. What ends the
turn early (`interrupt`, a listener who is gone, a failure) ends both: the model's connection is closed, the
engine's place is free within one step. What is remembered is what was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from ttsops.agent.conversation import Conversation, Exchange
from ttsops.agent.events import AudioDelta, Emit, TextDelta, Word
from ttsops.agent.failures import LlmError
from ttsops.agent.llm import Llm
from ttsops.agent.providers import Message
from ttsops.agent.speaking import Speaking, Spoken
from ttsops.agent.spoken import SpokenLedger
from ttsops.errors import TtsOpsError
from ttsops.observe import tracing
from ttsops.settings import AgentSettings
from ttsops.speech import SAMPLE_RATE
from ttsops.text import SpeakableText


@dataclass(slots=True)
class TurnTimes:
    """Seconds from the question; None for what did not happen."""

    first_token: float | None = None
    first_audio: float | None = None
    """Handed to the listener's socket."""
    end: float | None = None


class Turn:
    """Made by `Agent.begin`, run once."""

    def __init__(
        self,
        question: str,
        conversation: Conversation,
        *,
        llm: Llm,
        speaking: Speaking,
        settings: AgentSettings,
        on_change: Callable[[Turn], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`on_change` is told when what is remembered of it changes: at its end, and if it is cut later."""
        self.conversation = conversation
        self.text = ""
        """The answer so far, as the model wrote it."""
        self.error: TtsOpsError | None = None
        """What broke it off, if something did."""
        self.interrupted: str = ""
        """Why it fell silent, if somebody made it: `barge_in`, `client` or `hangup`."""
        self.times = TurnTimes()
        self.ledger = SpokenLedger()
        self.speaking = speaking
        self._exchange = Exchange(question)
        self._llm = llm
        self._settings = settings
        self._on_change = on_change
        self._clock = clock
        self._began_at = clock()
        self.trace = tracing.current()
        self.traced_at = self.trace.seconds
        self._played_seconds: float | None = None
        self.is_held_back = False
        """Nothing leaves before its end, so nothing is heard of what is broken off."""
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._is_over = asyncio.Event()
        self._is_over.set()

    # ---- while it goes on --------------------------------------------------------------

    async def run(self, emit: Emit) -> None:
        """Until everything was handed to `emit`, or it ended early: see `error` and `interrupted`.

        Raises what `emit` raises: then the listener is gone.
        """
        self._is_over.clear()
        messages = [*self.conversation.messages(), Message("user", self._exchange.question)]
        self.conversation.exchanges.append(self._exchange)
        self._tasks = (
            asyncio.create_task(self._write(messages, emit)),
            asyncio.create_task(self._hear(emit)),
        )
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            self.interrupt("hangup")
            raise
        finally:
            failure = await self._end()
        if failure is not None:
            raise failure

    @property
    def is_running(self) -> bool:
        """Between the beginning of `run` and its end."""
        return not self._is_over.is_set()

    async def wait_over(self) -> None:
        """Until it no longer runs."""
        await self._is_over.wait()

    async def _end(self) -> BaseException | None:
        """Both tasks have ended, and the books are closed; what was neither our error nor a cancellation."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.speaking.aclose()
        failure = None
        for one in ended:
            if isinstance(one, TtsOpsError):
                self.error = self.error or one
            elif one is not None and not isinstance(one, asyncio.CancelledError):
                self.interrupted, failure = self.interrupted or "hangup", one
        self.times.end = self.seconds_since_question()
        self._remember()
        self._is_over.set()
        self._on_change(self)
        return failure

    async def _write(self, messages: list[Message], emit: Emit) -> None:
        speakable = SpeakableText(self.speaking.language)
        try:
            answer = self._llm.answer(self._settings.instructions, messages)
            async with contextlib.aclosing(answer) as pieces:
                async for piece in pieces:
                    if self.times.first_token is None:
                        self.times.first_token = self.seconds_since_question()
                    self.text += piece
                    self._say(speakable.feed(piece))  # before anything else: it is waited for
                    await emit(TextDelta(self.seconds_since_question(), piece))
        except LlmError as error:
            self.error = error
            self._say(speakable.end())
            await self._apologise(emit)
        else:
            self._say(speakable.end())
        self.speaking.end()

    async def _apologise(self, emit: Emit) -> None:
        if self._settings.apology == "spoken":
            text = self._settings.apology_text
            self._say(f" {text}" if self.ledger.text else text)
            await emit(TextDelta(self.seconds_since_question(), text, is_apology=True))

    def _say(self, text: str) -> None:
        if text:
            self.ledger.give(text)
            self.speaking.say(text)

    async def _hear(self, emit: Emit) -> None:
        async with contextlib.aclosing(self.speaking.heard()) as pieces:
            async for spoken in pieces:
                if len(spoken.samples):
                    await emit(self._delta(spoken))
                    if self.times.first_audio is None:
                        self.times.first_audio = self.seconds_since_question()
                self.ledger.leave(self._clock(), len(spoken.samples), spoken.marks)
                if spoken.n_chars_done is not None:
                    self.ledger.complete(spoken.n_chars_done)

    def _delta(self, spoken: Spoken) -> AudioDelta:
        text = self.ledger.text
        words = tuple(
            Word(mark.start_seconds, text[mark.text_start : mark.text_start + mark.text_length])
            for mark in spoken.marks
            if mark.kind == "word"
        )
        return AudioDelta(
            self.seconds_since_question(), self.ledger.n_samples / SAMPLE_RATE, spoken.samples, words
        )

    def seconds_since_question(self) -> float:
        """Now."""
        return self._clock() - self._began_at

    # ---- ending early ------------------------------------------------------------------

    def interrupt(self, reason: str, played_seconds: float | None = None) -> None:
        """Fall silent now; `played_seconds` of it were heard, if whoever plays it has counted.

        After its end, what is remembered is cut to what was heard, if it was still being played.
        """
        now = self._clock()
        if not self.is_running and played_seconds is None and not self.ledger.is_playing(now):
            return
        if self._played_seconds is None:
            played = self._seconds_played(now) if played_seconds is None else played_seconds
            self._played_seconds = min(played, self.ledger.seconds)
        self.interrupted = self.interrupted or reason
        if self.is_running:
            self.speaking.cancel(self.interrupted)
            for task in self._tasks:
                task.cancel()
        elif self.times.end is not None:
            self._remember()
            self._on_change(self)

    def _seconds_played(self, now: float) -> float:
        return 0.0 if self.is_held_back and self.is_running else self.ledger.seconds_played(now)

    def fail(self, error: TtsOpsError) -> None:
        """Break it off for a reason that the listener is told."""
        if self.is_running:
            self.error = self.error or error
            self.speaking.cancel("client")
            for task in self._tasks:
                task.cancel()

    # ---- what is remembered ------------------------------------------------------------

    @property
    def remembered(self) -> str:
        """What the conversation keeps of the answer."""
        return self._exchange.answer

    def _remember(self) -> None:
        if self._played_seconds is not None or self.interrupted:
            played = self._seconds_played(self._clock())
            self._exchange.answer = self.ledger.text_at(
                played if self._played_seconds is None else self._played_seconds
            )
        elif self.error is None:
            self._exchange.answer = self.text
        elif not self.ledger.n_samples:  # nothing came of it: the question may be asked again
            kept = [one for one in self.conversation.exchanges if one is not self._exchange]
            self.conversation.exchanges[:] = kept  # another one may have been asked the same
        elif isinstance(self.error, LlmError):
            self._exchange.answer = self.text
        else:
            self._exchange.answer = self.ledger.text_at(self.ledger.seconds)
