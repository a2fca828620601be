import threading
from collections.abc import Iterator
from typing import cast

import pytest

from ttsops.engines.espeak.delivery import to_delivery
from ttsops.engines.espeak.lane import Heard, Lane, Phrase
from ttsops.engines.espeak.library import Delivery, Library, OnAudio, Word
from ttsops.errors import EngineError

pytestmark = pytest.mark.unit


class Puppet:
    """In place of the library: says a text word by word, each when it is let."""

    def __init__(self) -> None:
        self.may_go_on = threading.Semaphore(0)
        self.said: list[str] = []

    def speak(self, text: str, delivery: Delivery, on_audio: OnAudio, *, has_end_pause: bool) -> None:
        for word in text.split():
            self.may_go_on.acquire()
            if word == "fail":
                raise EngineError("told to fail")
            self.said.append(word)
            if not on_audio(word.encode(), [Word(0, 0)]):
                return


@pytest.fixture
def puppet() -> Puppet:
    return Puppet()


@pytest.fixture
def lane(puppet: Puppet) -> Iterator[Lane]:
    lane = Lane(cast(Library, puppet))
    yield lane
    puppet.may_go_on.release(100)
    lane.stop()


def phrase(text: str) -> Phrase:
    return Phrase(text, to_delivery("x", 1.0, 1.0), has_end_pause=False)


def words(parts: list[Heard]) -> str:
    return b" ".join(part.samples for part in parts).decode()


def test_audio_is_taken_before_the_phrase_has_ended(lane: Lane, puppet: Puppet) -> None:
    one = phrase("a b c")
    lane.submit(one)
    puppet.may_go_on.release()
    parts, is_ended = lane.take(one, 8)
    assert (words(parts), is_ended) == ("a", False)
    puppet.may_go_on.release(2)
    heard = ""
    while not is_ended:
        parts, is_ended = lane.take(one, 8)
        heard += words(parts)
    assert heard.replace(" ", "") == "bc"


def test_no_more_is_taken_than_asked_for(lane: Lane, puppet: Puppet) -> None:
    one, after = phrase("a b c d e"), phrase("z")
    lane.submit(one)
    lane.submit(after)
    puppet.may_go_on.release(6)
    lane.take(after, 1)  # so `one` has ended
    assert [(words(parts), is_ended) for parts, is_ended in (lane.take(one, 2) for _ in range(3))] == [
        ("a b", False),
        ("c d", False),
        ("e", True),
    ]


def test_a_cancelled_phrase_is_left_within_one_chunk(lane: Lane, puppet: Puppet) -> None:
    long, waiting, next_one = phrase("a " * 50), phrase("never said"), phrase("z")
    for one in (long, waiting, next_one):
        lane.submit(one)
    puppet.may_go_on.release()
    lane.take(long, 1)
    lane.cancel(long)
    lane.cancel(waiting)
    puppet.may_go_on.release(2)
    parts, _ = lane.take(next_one, 1)
    assert words(parts) == "z"
    assert puppet.said == ["a", "a", "z"]
    assert lane.take(waiting, 1) == ([], True), "whoever still asks is answered"


def test_an_error_reaches_the_listener_after_its_audio_and_the_lane_lives_on(
    lane: Lane, puppet: Puppet
) -> None:
    bad, good = phrase("a fail"), phrase("b")
    lane.submit(bad)
    lane.submit(good)
    puppet.may_go_on.release(3)
    assert words(lane.take(good, 8)[0]) == "b"
    assert words(lane.take(bad, 1)[0]) == "a", "what was made before the error is heard"
    with pytest.raises(EngineError, match="told to fail"):
        lane.take(bad, 8)


def test_stop_leaves_what_is_spoken_and_ends_the_thread(puppet: Puppet) -> None:
    lane = Lane(cast(Library, puppet))
    one = phrase("a " * 50)
    lane.submit(one)
    puppet.may_go_on.release()
    lane.take(one, 1)
    puppet.may_go_on.release(49)
    lane.stop()
    lane.stop()
    assert not lane._thread.is_alive()
