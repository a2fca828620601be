"""The agent: a language model that speaks, and remembers what was heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from weakref import WeakSet

from ttsops.agent.books import close_books
from ttsops.agent.conversations import Conversations
from ttsops.agent.llm import Llm
from ttsops.agent.providers import create_provider
from ttsops.agent.speaking import Manner, Speech
from ttsops.agent.turn import Turn
from ttsops.errors import Draining, EmptyText
from ttsops.settings import Settings


class Agent:
    """One for an application. Raises `ConfigError` for settings that lack something, `NotInstalled` without a
    provider's package.
    """

    def __init__(
        self,
        settings: Settings,
        speech: Speech,
        *,
        key: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`key` is the language model's."""
        self.settings = settings.agent
        self.llm = Llm(create_provider(settings.llm, key), settings.llm)
        self.conversations = Conversations(settings.agent)
        self._speech = speech
        self._clock = clock
        self.is_draining = False
        """It is about to stop: no new questions."""
        self._saving: set[asyncio.Task[None]] = set()
        self._turns: WeakSet[Turn] = WeakSet()

    async def begin(
        self,
        question: str,
        manner: Manner,
        *,
        owner: str = "",
        conversation_id: str = "",
        request_id: str = "",
        played_seconds: float | None = None,
        is_promised: bool = False,
    ) -> Turn:
        """A turn that is to be run at once. Whoever speaks in the same conversation is interrupted first.

        `played_seconds` of the answer before it were heard; an answer that was sent whole counts as heard
        without it. `owner` is the API key's name. What `is_promised` is answered even in a drain. Raises
        `EmptyText`, `Draining`, and `RequestError` for a manner none can follow.
        """
        if self.is_draining and not is_promised:
            raise Draining("the agent is stopping", hint="try another instance", retry_after=1.0)
        if not question.strip():
            raise EmptyText("there is no question: `text` is empty", param="text")
        conversation = await self.conversations.find(owner, conversation_id)
        speaking = await self._speech.open(self._with_defaults(manner))
        while conversation.turn is not None and conversation.turn.is_running:
            conversation.turn.interrupt("barge_in", played_seconds)
            await conversation.turn.wait_over()
        if conversation.turn is not None and played_seconds is not None:
            conversation.turn.interrupt("barge_in", played_seconds)  # it was still being played
        has_closed = False

        def on_change(turn: Turn) -> None:
            nonlocal has_closed
            if not has_closed:
                has_closed = True
                close_books(turn, self.llm.provider, request_id=request_id)
            self._save(owner, turn)

        turn = Turn(
            question,
            conversation,
            llm=self.llm,
            speaking=speaking,
            settings=self.settings,
            on_change=on_change,
            clock=self._clock,
        )
        conversation.turn = turn
        self._turns.add(turn)
        return turn

    async def is_ready(self) -> bool:
        """A question would be answered now, as far as speech goes; the model is not asked."""
        return not self.is_draining and await self._speech.is_ready()

    async def take_no_more(self) -> None:
        """No new questions from here on; turns that were begun go on."""
        self.is_draining = True

    async def break_off(self) -> None:
        """The time of a drain is over: whoever is still spoken to is told."""
        going_on = [turn for turn in self._turns if turn.is_running]
        for turn in going_on:
            turn.fail(Draining("the agent is stopping", hint="try another instance", retry_after=1.0))
        await asyncio.gather(*(turn.wait_over() for turn in going_on))

    async def check(self, manner: Manner) -> None:
        """Raises what `begin` would, before there is a question."""
        await (await self._speech.open(self._with_defaults(manner))).aclose()

    def _with_defaults(self, manner: Manner) -> Manner:
        return replace(
            manner,
            engine=manner.engine or self.settings.engine,
            voice=manner.voice or self.settings.voice,
            language=manner.language or self.settings.language,
        )

    def _save(self, owner: str, turn: Turn) -> None:
        task = asyncio.create_task(self.conversations.save(owner, turn.conversation))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def aclose(self) -> None:
        """Nothing may follow; what is being saved is saved."""
        await asyncio.gather(*self._saving, return_exceptions=True)
        self.conversations.close()
        await self._speech.aclose()
        await self.llm.aclose()
