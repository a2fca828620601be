"""Anthropic's messages, by their own package.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from ttsops.agent.failures import LlmError
from ttsops.agent.providers.contract import Message, alternating
from ttsops.agent.providers.sdk import checked, hush, not_installed, time_limits, translated
from ttsops.settings import LlmSettings

ANTHROPIC_URL = "https://api.anthropic.com"


class AnthropicMessages:
    """`anthropic`. Raises `NotInstalled` without the extra `agent`."""

    name = "anthropic"

    def __init__(self, settings: LlmSettings, key: str) -> None:
        try:
            import anthropic
        except ImportError as error:
            raise not_installed("anthropic") from error
        hush("anthropic")
        self.model = settings.model
        self._sdk = anthropic
        self._settings = settings
        self._client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=settings.base_url or ANTHROPIC_URL,
            max_retries=0,  # `Llm` tries again
            timeout=time_limits(anthropic, settings),
        )

    async def stream(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer's text. Raises `LlmError` for one that has no end, too."""
        has_ended = False
        with translated(self.name, self._sdk):
            answer = await self._client.messages.create(**self._request(instructions, messages))
        with translated(self.name, self._sdk, has_begun=True):
            async with contextlib.aclosing(answer.response):
                async for event in answer:
                    if event.type == "content_block_delta" and event.delta.type == "text_delta":
                        yield checked(event.delta.text)
                    has_ended = has_ended or event.type == "message_stop"
        if not has_ended:
            raise LlmError(f"{self.name} broke off its answer")

    def _request(self, instructions: str, messages: Sequence[Message]) -> dict[str, Any]:
        settings = self._settings
        more: dict[str, Any] = {} if settings.temperature is None else {"temperature": settings.temperature}
        if instructions:
            more["system"] = instructions
        return {
            "model": settings.model,
            "messages": [{"role": one.role, "content": one.text} for one in alternating(messages)],
            "max_tokens": settings.max_tokens,
            "stream": True,
            **more,
        }

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()
