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


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Questions of which no answer was heard become one with the next: many models want sides in turns."""
    told: list[Message] = []
    for message in messages:
        if told and told[-1].role == message.role:
            told[-1] = Message(message.role, f"{told[-1].text}\n\n{message.text}")
        else:
            told.append(message)
    return told


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
