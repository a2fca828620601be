"""A language model as a turn asks it: with limits of time, and left alone for a while if it keeps failing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.agent.providers import Message, Provider
from ttsops.observe import metrics
from ttsops.observe.logs import get_logger
from ttsops.runtime.breaker import Breaker
from ttsops.settings import LlmSettings

log = get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 8.0
"""Before the second try at most the first of them, then twice as much each time, up to the other."""


class Llm:
    """One provider behind its breaker. What fails before the first word is tried again: here and not by its
    package, so that there is one count of tries and one patience for all of them.
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
        """Tried again while nothing was said, and there is patience left for the first word."""
        first_by = self._clock() + self._settings.first_token_seconds
        has_said = False
        for n_tries in itertools.count(1):
            try:
                async with contextlib.aclosing(self._timed(instructions, messages, first_by)) as pieces:
                    async for piece in pieces:
                        has_said = has_said or bool(piece.strip())
                        yield piece
            except LlmError as error:
                pause = _pause(n_tries, error.retry_after)
                is_over = has_said or n_tries > self._settings.max_retries
                if is_over or not error.may_be_tried_again or self._clock() + pause >= first_by:
                    raise
                log.info("llm_tried_again", provider=self.provider.name, code=error.code, n_tries=n_tries)
            else:
                break
            await asyncio.sleep(pause)
        if not has_said:
            raise LlmError(f"{self.provider.name} gave an empty answer")

    async def _timed(
        self, instructions: str, messages: Sequence[Message], first_by: float
    ) -> AsyncGenerator[str, None]:
        """Within the limits. Only waiting for the provider counts: a listener may take their time."""
        settings, name = self._settings, self.provider.name
        left = settings.answer_seconds
        limit = first_by - self._clock()
        what = f"no answer within {settings.first_token_seconds:g} seconds"
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
                    late = LlmTimeout(f"{name}: {what}")
                    late.may_be_tried_again = False  # patience is used up
                    raise late from error
                waited = self._clock() - asked_at
                left -= waited
                limit -= waited  # a piece without text is no sign of life
                if piece:
                    limit = settings.token_seconds
                    what = f"it fell silent in its answer, nothing more within {limit:g} seconds"
                    yield piece

    def _counted(self, error: LlmError) -> LlmError:
        metrics.AGENT_LLM_ERRORS.labels(provider=self.provider.name, code=error.code).inc()
        return error

    def _show_breaker(self) -> None:
        metrics.AGENT_LLM_BREAKER_OPEN.labels(provider=self.provider.name).set(self._breaker.is_open)

    async def aclose(self) -> None:
        """Nothing may follow."""
        await self.provider.aclose()


def _pause(n_tries: int, retry_after: float | None) -> float:
    """Seconds before the next try, drawn by lot: those whom one failure hit do not come back together.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    most = min(FIRST_PAUSE_SECONDS * 2.0 ** (n_tries - 1), MAX_PAUSE_SECONDS)
    return (retry_after or 0.0) + random.uniform(0.0, most)
