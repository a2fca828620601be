"""What is remembered: not too much, not for ever, and over a restart if it is to be."""

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from ttsops.agent.conversation import Conversation, Exchange
from ttsops.agent.conversations import Conversations
from ttsops.errors import ConfigError
from ttsops.settings import AgentSettings

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def questions(conversation: Conversation) -> list[str]:
    return [one.question for one in conversation.exchanges]


async def say(store: Conversations, name: str, *said: str, owner: str = "") -> None:
    conversation = await store.find(owner, name)
    conversation.exchanges += [Exchange(one, f"{one}!") for one in said]
    await store.save(owner, conversation)


async def test_an_id_that_none_guesses_is_made(clock: Clock) -> None:
    store = Conversations(AgentSettings(), clock=clock)
    ids = {(await store.find("")).id for _ in range(10)}
    assert len(ids) == 10
    assert all(len(one) > 24 for one in ids)


async def test_only_the_last_exchanges_are_kept(clock: Clock) -> None:
    store = Conversations(AgentSettings(max_turns=3), clock=clock)
    await say(store, "a", "1", "2", "3", "4", "5")
    assert questions(await store.find("", "a")) == ["3", "4", "5"]


async def test_long_exchanges_push_old_ones_out_and_the_last_one_stays(clock: Clock) -> None:
    store = Conversations(AgentSettings(max_chars=100), clock=clock)
    await say(store, "a", "x" * 20, "y" * 40, "z" * 5)
    assert questions(await store.find("", "a")) == ["y" * 40, "z" * 5]
    await say(store, "a", "w" * 1000)
    assert questions(await store.find("", "a")) == ["w" * 1000]


async def test_the_one_longest_silent_goes_first(clock: Clock) -> None:
    store = Conversations(AgentSettings(max_conversations=2), clock=clock)
    await say(store, "a", "1")
    await say(store, "b", "1")
    await say(store, "a", "2")
    await say(store, "c", "1")
    assert len(store) == 2
    assert questions(await store.find("", "a")) == ["1", "2"]
    assert questions(await store.find("", "b")) == []


async def test_silence_is_forgotten(clock: Clock) -> None:
    store = Conversations(AgentSettings(expiry_seconds=60), clock=clock)
    await say(store, "a", "1")
    clock.now += 59
    assert questions(await store.find("", "a")) == ["1"]
    clock.now += 61
    assert questions(await store.find("", "a")) == []


async def test_owners_do_not_meet(clock: Clock) -> None:
    store = Conversations(AgentSettings(), clock=clock)
    await say(store, "a", "1", owner="anna")
    assert questions(await store.find("bert", "a")) == []


async def test_a_file_outlives_a_restart_and_is_its_owners(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "conversations.sqlite"
    settings = AgentSettings(database=str(file), expiry_seconds=60, max_conversations=2)
    store = Conversations(settings, clock=clock)
    await say(store, "a", "1", "2")
    await say(store, "a", "x", owner="anna")
    store.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Conversations(settings, clock=clock)
    found = await again.find("", "a")
    assert [(one.question, one.answer) for one in found.exchanges] == [("1", "1!"), ("2", "2!")]
    await say(again, "b", "1")  # the third: anna's is the oldest now
    again.close()
    third = Conversations(settings, clock=clock)
    assert questions(await third.find("anna", "a")) == []
    clock.now += 61
    assert questions(await third.find("", "a")) == []
    third.close()


async def test_a_full_disk_costs_the_file_and_not_the_conversation(
    clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Conversations(AgentSettings(database=str(tmp_path / "c.sqlite")), clock=clock)
    assert store._archive is not None
    store._archive._database.execute("PRAGMA max_page_count = 4")  # SQLite's own "disk is full"
    await say(store, "a", "x" * 15_000)
    assert "conversation_not_saved" in caplog.text
    assert "full" in caplog.text
    assert "xxx" not in caplog.text
    assert questions(await store.find("", "a")) == ["x" * 15_000]
    store.close()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 40, None])
def test_a_file_that_cannot_be_had_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.sqlite"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"agent\.database") as caught:
        Conversations(AgentSettings(database=str(file)))
    assert caught.value.hint


class Speaker:
    is_running = True

    def interrupt(self, reason: str, played_seconds: float | None = None) -> None:
        raise AssertionError("nobody asked for it")

    async def wait_over(self) -> None:
        raise AssertionError("nobody asked for it")


async def test_one_in_which_somebody_speaks_is_never_forgotten(clock: Clock) -> None:
    store = Conversations(AgentSettings(max_conversations=1, expiry_seconds=60), clock=clock)
    await say(store, "a", "1")
    (await store.find("", "a")).turn = Speaker()
    await say(store, "b", "1")
    await say(store, "c", "1")
    clock.now += 61
    assert questions(await store.find("", "a")) == ["1"]
    assert questions(await store.find("", "b")) == []


async def test_a_file_that_was_open_to_others_is_closed_to_them(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "conversations.sqlite"
    file.touch(0o644)
    store = Conversations(AgentSettings(database=str(file)), clock=clock)
    await say(store, "a", "1")
    files = list(tmp_path.iterdir())  # noqa: ASYNC240
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in files}
    store.close()
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


async def test_what_expired_is_out_of_the_file_at_the_next_start(clock: Clock, tmp_path: Path) -> None:
    settings = AgentSettings(database=str(tmp_path / "conversations.sqlite"), expiry_seconds=60)
    store = Conversations(settings, clock=clock)
    await say(store, "a", "elephants")
    store.close()
    clock.now += 61
    Conversations(settings, clock=clock).close()
    with contextlib.closing(sqlite3.connect(settings.database)) as database:
        assert database.execute("SELECT COUNT(*) FROM conversations").fetchone() == (0,)


def test_a_file_of_something_else_is_refused(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE conversations (name TEXT)")
    with pytest.raises(ConfigError, match="holds something else"):
        Conversations(AgentSettings(database=str(file)), clock=clock)
