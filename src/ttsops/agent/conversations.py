"""Every conversation that is remembered: not too many, not too long, not for ever."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from ttsops.agent.archive import Archive
from ttsops.agent.conversation import Conversation
from ttsops.errors import ConfigError
from ttsops.observe import metrics
from ttsops.observe.logs import get_logger
from ttsops.settings import AgentSettings

log = get_logger(__name__)


class Conversations:
    """By owner (a key's name, or empty) and id. The one longest silent is the first in the order."""

    def __init__(self, settings: AgentSettings, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix time. Raises `ConfigError` for a database that cannot be had."""
        self._settings = settings
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._archive = Archive(Path(settings.database)) if settings.database else None
        if self._archive is not None:
            try:
                self._archive.forget(not_before=self._not_before, keep=settings.max_conversations)
            except sqlite3.Error as error:
                raise ConfigError(
                    f"`agent.database`: `{settings.database}` holds something else: {error}",
                    hint="name another file",
                ) from error

    def __len__(self) -> int:
        return len(self._known)

    async def find(self, owner: str, conversation_id: str = "") -> Conversation:
        """The conversation, a new one if there is none of that id. Without an id it gets one none guesses."""
        self._forget()
        key = (owner, conversation_id or f"conv_{secrets.token_hex(12)}")
        conversation = self._known.get(key) or await self._load(key)
        conversation = self._known.setdefault(key, conversation)
        self._touch(key)
        return conversation

    async def save(self, owner: str, conversation: Conversation) -> None:
        """It has changed: cut it to what may be remembered, and keep it. A full disk is logged, no more."""
        settings = self._settings
        conversation.forget(max_turns=settings.max_turns, max_chars=settings.max_chars)
        self._touch((owner, conversation.id))
        if self._archive is not None:
            exchanges, used_at = list(conversation.exchanges), conversation.used_at
            try:
                await asyncio.to_thread(self._archive.save, owner, conversation.id, exchanges, used_at)
                await asyncio.to_thread(
                    self._archive.forget, not_before=self._not_before, keep=settings.max_conversations
                )
            except sqlite3.Error as error:
                log.error("conversation_not_saved", reason=str(error))

    def close(self) -> None:
        """Nothing may follow."""
        if self._archive is not None:
            self._archive.close()

    @property
    def _not_before(self) -> float:
        return self._clock() - self._settings.expiry_seconds

    async def _load(self, key: tuple[str, str]) -> Conversation:
        conversation = Conversation(key[1])
        if self._archive is not None:
            try:
                conversation.exchanges = await asyncio.to_thread(
                    self._archive.load, *key, not_before=self._not_before
                )
            except sqlite3.Error as error:
                log.error("conversation_not_loaded", reason=str(error))
        return conversation

    def _touch(self, key: tuple[str, str]) -> None:
        if (conversation := self._known.get(key)) is not None:
            conversation.used_at = self._clock()
            self._known.move_to_end(key)
        n_over = len(self._known) - self._settings.max_conversations
        for one in self._silent()[: max(0, n_over)]:
            del self._known[one]
        metrics.AGENT_CONVERSATIONS.set(len(self._known))

    def _forget(self) -> None:
        """What was silent for too long."""
        for one in self._silent():
            if self._known[one].used_at >= self._not_before:
                break
            del self._known[one]

    def _silent(self) -> list[tuple[str, str]]:
        """In which nobody speaks now, the one longest silent first."""
        return [key for key, one in self._known.items() if one.turn is None or not one.turn.is_running]
