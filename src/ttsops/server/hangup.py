"""Notices that a client went away, whatever its request is waiting for."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive


class EndsOnHangup:
    """`async with`: the block is cancelled when the client is gone, and left without an exception.

    Like `asyncio.timeout`, so that a cancellation from elsewhere (a server that stops) still goes through.
    The request's body must have been read.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_hung_up = False

    async def __aenter__(self) -> EndsOnHangup:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._n_cancelling = task.cancelling()
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._watcher.cancel()
        if not self.is_hung_up:
            return False
        is_ours = self._task.uncancel() <= self._n_cancelling
        return is_ours and kind is asyncio.CancelledError

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_hung_up = True
        self._task.cancel()
