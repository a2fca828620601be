"""What was said in a conversation, as far as it was heard, and no more of it than a model is told again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ttsops.agent.providers import Message


@dataclass(slots=True)
class Exchange:
    """A question and what was heard of its answer."""

    question: str
    answer: str = ""


class Speaks(Protocol):
    """A turn that goes on, or is still being played."""

    @property
    def is_running(self) -> bool:
        """It goes on."""
        ...

    def interrupt(self, reason: str, played_seconds: float | None = None) -> None:
        """Fall silent."""
        ...

    async def wait_over(self) -> None:
        """Until it has ended."""
        ...


@dataclass(slots=True)
class Conversation:
    """One. It belongs to whoever knows its id, and to one API key."""

    id: str
    exchanges: list[Exchange] = field(default_factory=list)
    used_at: float = 0.0
    """Unix time."""
    turn: Speaks | None = None
    """The last one."""

    def messages(self) -> list[Message]:
        """As a model is told them. Of an answer of which nothing was heard, only the question."""
        told: list[Message] = []
        for exchange in self.exchanges:
            told.append(Message("user", exchange.question))
            if exchange.answer.strip():  # white space alone is refused as a message
                told.append(Message("assistant", exchange.answer))
        return told

    def forget(self, *, max_turns: int, max_chars: int) -> None:
        """Drop the oldest exchanges past either limit; the last one always stays."""
        del self.exchanges[:-max_turns]
        n_chars = sum(len(one.question) + len(one.answer) for one in self.exchanges)
        while n_chars > max_chars and len(self.exchanges) > 1:
            oldest = self.exchanges.pop(0)
            n_chars -= len(oldest.question) + len(oldest.answer)
