"""What every language model is asked, whoever runs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One side of an exchange."""

    role: Literal["user", "assistant"]
    text: str


class Provider(Protocol):
    """Somebody who runs a language model."""

    @property
    def name(self) -> str:
        """As in `llm.provider`."""
        ...

    @property
    def model(self) -> str:
        """As in `llm.model`."""
        ...

    def stream(self, instructions: str, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer to the last message, in pieces as they are written; closing it hangs up.

        Raises `LlmError` and its kin; nothing else but a bug.
        """
        ...

    async def aclose(self) -> None:
        """Nothing may follow."""
        ...
