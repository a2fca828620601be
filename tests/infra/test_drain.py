"""Servers are stopped under load behind a real NGINX: who listens hears the end, who comes is answered."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from e2e.conftest import until
from infra.listeners import Crowd, crowd
from infra.nginx import NGINX, Server, proxying, servers

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(NGINX is None, reason="NGINX (nginx-light) is not installed"),
]

PACED = """
engine = "tone"
[engines.tone.options]
rtf = 0.3
"""
"""Three seconds are heard in one, whoever else listens."""

KINDS = Counter(short=3, audio=5, events=5, socket=5)
FAIL_TIMEOUT_SECONDS = 1.0
"""As the configuration says: a server that came back is known to be there after this."""


async def settle(seconds: float = FAIL_TIMEOUT_SECONDS + 0.5) -> None:
    await asyncio.sleep(seconds)


async def roll(url: str, all_of_them: list[Server]) -> tuple[Crowd, list[float]]:
    """Stop each under load, start it again; what was heard, and when each was told to stop."""
    told_at = []
    async with crowd(url, KINDS) as everybody:
        for server in all_of_them:
            await settle()
            told_at.append(asyncio.get_running_loop().time())
            server.signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.wait) == 0
            server.start()
            await asyncio.to_thread(server.wait_ready)
        await settle()
    return everybody, told_at


@pytest.mark.timeout(180)
def test_every_server_is_replaced_and_nobody_notices(tmp_path: Path) -> None:
    with (
        servers(tmp_path, 2, PACED) as two,
        proxying(tmp_path / "nginx", [one.port for one in two]) as proxy,
    ):
        everybody, told_at = asyncio.run(roll(proxy.url, two))
        spoken = [one for server in two for one in server.utterances()]
    asked, heard = proxy.asked(), everybody.heard
    assert [one for one in heard if one.problem] == []
    assert {one.kind for one in heard} == set(KINDS)
    assert len(heard) > 100

    # The check is one: each was told to stop while several listened to it, and somebody of every kind did.
    drained: Counter[str] = Counter()
    for server, at in zip(two, told_at, strict=True):
        live = [one for one in heard if one.began_at < at < one.ended_at]
        on_it = Counter(one.kind for one in live if asked[one.request_id][-1] == server.address)
        assert on_it.total() >= 3
        drained += on_it
    assert set(drained) >= {"audio", "events", "socket"}
    # And some who came later were sent away by one and answered by another.
    assert any(len(asked[one.request_id]) > 1 for one in heard)

    # Nobody was spoken to twice.
    ends = Counter(one["request_id"] for one in spoken if one["success"])
    one_each = {one.request_id for one in heard if one.kind != "socket"}
    assert {ends[one] for one in one_each} == {1}


async def lose_one(url: str, lost: Server) -> tuple[Crowd, float]:
    async with crowd(url, KINDS) as everybody:
        await settle()
        lost_at = asyncio.get_running_loop().time()
        lost.signal(signal.SIGKILL)
        await settle(4.0)
    return everybody, lost_at


@pytest.mark.timeout(120)
def test_a_server_that_is_lost_breaks_its_own_streams_alone(tmp_path: Path) -> None:
    """The contrast: what the check above would see."""
    with servers(tmp_path, 2, PACED) as two, proxying(tmp_path / "nginx", [one.port for one in two]) as proxy:
        lost = two[0]
        everybody, lost_at = asyncio.run(lose_one(proxy.url, lost))
    asked = proxy.asked()
    broken = [one for one in everybody.heard if one.problem]
    assert len(broken) >= 3
    assert len({one.kind for one in broken}) >= 2
    for one in broken:
        assert one.began_at < lost_at < one.ended_at, one
        assert asked[one.request_id] == [lost.address], one
        assert one.ended_at < lost_at + 4, "and it is told, not left to wait"
    later = [one for one in everybody.heard if one.began_at > lost_at]
    assert len(later) > 20
    assert set(KINDS) == {one.kind for one in later}


def test_a_listener_who_hangs_up_at_the_proxy_frees_the_place(tmp_path: Path) -> None:
    with servers(tmp_path, 1, PACED) as (one,), proxying(tmp_path / "nginx", [one.port]) as proxy:

        async def hang_up() -> None:
            async with aiohttp.ClientSession() as session:
                listening = asyncio.create_task(Crowd(proxy.url).come(session, "audio"))
                await asyncio.sleep(0.4)
                listening.cancel()

        asyncio.run(hang_up())
        until(lambda: len(one.utterances()) == 1, what="it ended")
        (ended,) = one.utterances()
        assert ended["error_code"] == "cancelled"
