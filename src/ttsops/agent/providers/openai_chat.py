"""OpenAI's chat completions, by their own package: theirs, and every server that speaks the same.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from ttsops.agent.failures import LlmError
from ttsops.agent.providers.contract import Message, alternating
from ttsops.agent.providers.sdk import checked, hush, not_installed, time_limits, translated
from ttsops.settings import LlmSettings

OPENAI_URL = "https://api.openai.com/v1"


class OpenAiChat:
    """`openai`, or `local` at its address. Raises `NotInstalled` without the extra `agent`."""

    def __init__(self, settings: LlmSettings, key: str) -> None:
        try:
            import openai
        except ImportError as error:
            raise not_installed("openai") from error
        hush("openai")
        self.name = settings.provider
        self.model = settings.model
        self._sdk = openai
        self._settings = settings
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=settings.base_url or OPENAI_URL,
            max_retries=0,  # `Llm` tries again
            timeout=time_limits(openai, settings),
        )

    async def stream(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer's text. Raises `LlmError` for one that has no end, too."""
        has_ended = False
        with translated(self.name, self._sdk):
            answer = await self._client.chat.completions.create(**self._request(instructions, messages))
        with translated(self.name, self._sdk, has_begun=True):
            async with contextlib.aclosing(answer.response):
                async for chunk in answer:
                    for choice in chunk.choices[:1]:
                        if choice.delta and choice.delta.content:
                            yield checked(choice.delta.content)
                        has_ended = has_ended or choice.finish_reason is not None
        if not has_ended:
            raise LlmError(f"{self.name} broke off its answer")

    def _request(self, instructions: str, messages: Sequence[Message]) -> dict[str, Any]:
        settings = self._settings
        # OpenAI's newer models refuse the old name; other servers know no other.
        limit = "max_completion_tokens" if settings.provider == "openai" else "max_tokens"
        system = [{"role": "system", "content": instructions}] if instructions else []
        told = [{"role": one.role, "content": one.text} for one in alternating(messages)]
        more = {} if settings.temperature is None else {"temperature": settings.temperature}
        return {
            "model": settings.model,
            "messages": [*system, *told],
            "stream": True,
            limit: settings.max_tokens,
            **more,
        }

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()
