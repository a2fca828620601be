"""Reads back what it is sent: for a first try without a key, and for tests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from ttsops.agent.providers.contract import Message

_TOKEN = re.compile(r"\S+\s*|\s+")


class Echo:
    """Word by word."""

    name = "echo"
    model = "echo"

    async def stream(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The last message."""
        for token in _TOKEN.findall(messages[-1].text):
            yield token
            await asyncio.sleep(0)  # a model's words come one by one, too, and others have a turn between

    async def aclose(self) -> None:
        """There is nothing to close."""
