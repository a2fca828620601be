"""A language model as a turn asks it: with limits of time, and left alone for a while if it keeps failing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.agent.providers import Message, Provider
from ttsops.observe import metrics
from ttsops.runtime.breaker import Breaker
from ttsops.settings import LlmSettings


class Llm:
    """One provider behind its breaker. Retries, while nothing was answered, are its own package's."""

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
            async with contextlib.aclosing(self._timed(instructions, messages)) as pieces:
                async for piece in pieces:
                    yield piece
        except LlmRefused as error:  # it is well: the operator has to mend something
            raise self._counted(error) from error.__cause__
        except LlmError as error:
            self._breaker.failed()
            raise self._counted(error) from error.__cause__
        else:
            self._breaker.succeeded()
        finally:
            self._show_breaker()

    async def _timed(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        settings, name = self._settings, self.provider.name
        ends_at = self._clock() + settings.answer_seconds
        limit, what = settings.first_token_seconds, "no answer"
        has_said = False
        async with contextlib.aclosing(self.provider.stream(instructions, messages)) as pieces:
            while True:
                seconds = min(limit, ends_at - self._clock())
                try:
                    async with asyncio.timeout(max(0.0, seconds)):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    break
                except TimeoutError as error:
                    raise LlmTimeout(f"{name}: {what} within {limit:g} seconds") from error
                if piece:
                    has_said = has_said or bool(piece.strip())
                    limit, what = settings.token_seconds, "it fell silent in its answer, nothing more"
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
