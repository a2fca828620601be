"""A language model as a turn asks it: with limits of time, and left alone for a while if it keeps failing."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.agent.providers import Message, Provider
from ttsops.observe import metrics
from ttsops.runtime.breaker import Breaker
from ttsops.settings import LlmSettings

MAX_PAUSE_SECONDS = 0.5
"""Before another try, drawn by lot: those whom one failure hit do not come back together."""


class Llm:
    """One provider behind its breaker. A refused connection or a bad status is tried again by its package; an
    answer that breaks off before its first word is tried again here.
    """

    def __init__(
        self, provider: Provider, settings: LlmSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.provider = provider
        self._settings = settings
        self._clock = clock
        self._breaker = Breaker(
            failures=settings.breaker_failures, open_seconds=settings.breaker_seconds, clock=clock
        )
        self._show_breaker()

    @property
    def is_left_alone(self) -> bool:
        """Its breaker is open."""
        return self._breaker.is_open

    async def answer(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer in pieces, none of them empty. Raises `LlmError` and its kin."""
        name = self.provider.name
        if not self._breaker.enter():
            raise self._counted(
                LlmUnavailable(
                    f"{name} fails too often and is left alone for a while",
                    retry_after=self._breaker.retry_after(),
                )
            )
        try:
            async with contextlib.aclosing(self._tried(instructions, messages)) as pieces:
                async for piece in pieces:
                    yield piece
        except LlmRefused as error:  # it is well: the operator has to mend something
            self._breaker.succeeded()
            raise self._counted(error) from error.__cause__
        except LlmError as error:
            self._breaker.failed()
            raise self._counted(error) from error.__cause__
        else:
            self._breaker.succeeded()
        finally:
            self._show_breaker()

    async def _tried(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """Tried again while nothing was answered, and there is patience left for the first word."""
        began_at, n_left = self._clock(), self._settings.max_retries
        while True:
            has_answered = False
            patience = self._settings.first_token_seconds - (self._clock() - began_at)
            try:
                async with contextlib.aclosing(self._timed(instructions, messages, patience)) as pieces:
                    async for piece in pieces:
                        has_answered = True
                        yield piece
                return
            except LlmError as error:
                is_late = self._clock() - began_at >= self._settings.first_token_seconds
                if has_answered or not error.is_broken_off or not n_left or is_late:
                    raise
            n_left -= 1
            await asyncio.sleep(random.uniform(0.0, MAX_PAUSE_SECONDS))

    async def _timed(
        self, instructions: str, messages: Sequence[Message], first_seconds: float
    ) -> AsyncGenerator[str, None]:
        """Within the limits. Only waiting for the provider counts: a listener may take their time."""
        settings, name = self._settings, self.provider.name
        left = settings.answer_seconds
        limit, what = max(0.0, first_seconds), f"no answer within {settings.first_token_seconds:g} seconds"
        has_said = False
        async with contextlib.aclosing(self.provider.stream(instructions, messages)) as pieces:
            while True:
                asked_at = self._clock()
                try:
                    async with asyncio.timeout(max(0.0, min(limit, left))):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    break
                except TimeoutError as error:
                    if left < limit:
                        what = f"its answer took longer than {settings.answer_seconds:g} seconds"
                    raise LlmTimeout(f"{name}: {what}") from error
                left -= self._clock() - asked_at
                if piece:
                    has_said = has_said or bool(piece.strip())
                    limit = settings.token_seconds
                    what = f"it fell silent in its answer, nothing more within {limit:g} seconds"
                    yield piece
        if not has_said:
            raise LlmError(f"{name} gave an empty answer")

    def _counted(self, error: LlmError) -> LlmError:
        metrics.AGENT_LLM_ERRORS.labels(provider=self.provider.name, code=error.code).inc()
        return error

    def _show_breaker(self) -> None:
        metrics.AGENT_LLM_BREAKER_OPEN.labels(provider=self.provider.name).set(self._breaker.is_open)

    async def aclose(self) -> None:
        """Nothing may follow."""
        await self.provider.aclose()
