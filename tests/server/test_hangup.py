import asyncio
from typing import Any

import pytest

from ttsops.server.hangup import EndsOnHangup

pytestmark = pytest.mark.unit


class Client:
    """The receiving end of an ASGI connection."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def test_whatever_a_request_waits_for_ends_when_its_client_is_gone() -> None:
    client = Client()
    cleaned = False
    async with EndsOnHangup(client.receive) as listener:
        client.gone.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned = True
    assert listener.is_hung_up
    assert cleaned
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling(), "the task can go on"


async def test_a_client_that_stays_changes_nothing() -> None:
    async with EndsOnHangup(Client().receive) as listener:
        await asyncio.sleep(0)
    assert not listener.is_hung_up


async def test_an_error_goes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        async with EndsOnHangup(Client().receive):
            raise ZeroDivisionError


async def test_a_cancellation_from_elsewhere_goes_through() -> None:
    entered = asyncio.Event()

    async def request() -> None:
        async with EndsOnHangup(Client().receive):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_at_once_is_a_cancellation() -> None:
    client = Client()
    entered = asyncio.Event()

    async def request() -> None:
        async with EndsOnHangup(client.receive):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await entered.wait()
    client.gone.set()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_watcher_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with EndsOnHangup(Client().receive):
        pass
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
