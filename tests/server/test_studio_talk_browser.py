"""Talking to a model that is slow, fails or is far away, in a real Chromium."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from distant_site import DistantSite, distant
from studio_page import (
    ask,
    by_id,
    in_page,
    opened,
    press,
    show,
    silent_after_ms,
    until,
)

from chromium import BROWSER_TEST, Browser
from ttsops.testing.fake_llm import Reply

pytestmark = BROWSER_TEST

SENTENCE = "One two three four five six seven eight nine ten. "
TALK = "/studio/js/talk.js"


@pytest.fixture(scope="module")
def far() -> Iterator[DistantSite]:
    with distant() as far:
        yield far


@pytest.fixture
def talk(driver: Browser, far: DistantSite) -> Iterator[Browser]:
    far.answers()
    with opened(driver, far.url) as page:
        show(page, "talk")
        yield page
        far.answers()


def seconds_of(page: Browser, what: str) -> float:
    """`played` or `queued`, as the player says."""
    given = in_page(page, f"return (await import('{TALK}')).player.last?.{what} ?? 0")
    return float(given) / 24_000


def bubbles(page: Browser) -> list[str]:
    return [one.text for one in page.find_elements("css selector", "#turns li")]


def is_answering(page: Browser) -> bool:
    enabled: bool = by_id(page, "interrupt").is_enabled()
    return enabled


def test_what_is_still_on_its_way_is_not_heard_after_an_interrupt(talk: Browser, far: DistantSite) -> None:
    far.answers(Reply(tokens=[SENTENCE] * 40, token_seconds=0.15), seconds=0.1)
    ask(talk, "Count.")
    assert silent_after_ms(talk, "interrupt", TALK) < 200
    time.sleep(0.5)
    assert seconds_of(talk, "queued") == 0
    assert not is_answering(talk)


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_each_answer_is_told_in_its_own_place(talk: Browser, far: DistantSite, seconds: float) -> None:
    slow = Reply(tokens=["Alpha ", "bravo ", "charlie ", "delta. "] * 10, token_seconds=0.2)
    far.answers(slow, Reply(tokens=["Second ", "answer ", "here."]), seconds=seconds)
    first = ask(talk, "First?")
    until(lambda: seconds_of(talk, "played") > 0.5, "nothing is played")
    second = ask(talk, "Second?")
    until(lambda: second.text == "Second answer here.", "the second answer is another")
    until(lambda: first.text.endswith("…"), "what was heard of the first is not told")
    assert first.text.startswith("Alpha")
    assert len(first.text) < 100, "more is shown than was heard"


def test_a_failed_answer_is_heard_and_can_be_interrupted(talk: Browser, far: DistantSite) -> None:
    far.answers(Reply(tokens=[SENTENCE] * 6, token_seconds=0.02, ending="cut"))
    ask(talk, "Fail.")
    until(lambda: by_id(talk, "error").text, "the failure is not told")
    until(lambda: seconds_of(talk, "played") > 0.3, "what had come is not heard")
    assert is_answering(talk)
    assert silent_after_ms(talk, "interrupt", TALK) < 200


def test_a_lost_connection_is_told_and_the_conversation_goes_on(talk: Browser, far: DistantSite) -> None:
    far.answers(Reply(tokens=["I know that."]), Reply(tokens=[SENTENCE] * 20, token_seconds=0.3))
    ask(talk, "My name is Alice.")
    until(lambda: not is_answering(talk), "the answer does not end")
    lost = ask(talk, "Count.")
    until(lambda: seconds_of(talk, "played") > 0.5, "nothing is played")
    far.cut()
    until(lambda: "connection was lost" in by_id(talk, "error").text, "nobody is told")
    until(lambda: not is_answering(talk), "an answer that never comes is waited for")
    talk.get_log("browser")
    far.answers(Reply(tokens=[SENTENCE] * 8))
    before = [one for one in bubbles(talk) if one != lost.text]
    again = ask(talk, "What is my name?")
    until(lambda: "ten" in again.text, "no answer")
    told = far.told()
    assert told[0] == "My name is Alice."
    assert told[-1].endswith("What is my name?")
    press(talk, by_id(talk, "interrupt"))
    until(lambda: again.text.endswith("…"), "what was heard is not told")
    assert [one for one in bubbles(talk) if one in before] == before, "another answer was changed"


def test_a_new_conversation_knows_nothing_of_the_last(talk: Browser, far: DistantSite) -> None:
    far.answers(Reply(tokens=["Hello Alice."]), Reply(tokens=["Who?"]))
    ask(talk, "My name is Alice.")
    until(lambda: not is_answering(talk), "the answer does not end")
    press(talk, by_id(talk, "anew"))
    assert bubbles(talk) == []
    ask(talk, "What is my name?")
    until(lambda: not is_answering(talk), "the answer does not end")
    assert far.told() == ["What is my name?"]
    assert by_id(talk, "error").text == ""


def test_a_question_that_is_refused_takes_no_place(talk: Browser, far: DistantSite) -> None:
    far.answers(Reply(tokens=["Fine."]))
    talk.execute_script("document.getElementById('question').value = 'word '.repeat(9000)")
    press(talk, talk.find_element("css selector", "#talk-form .primary"))
    until(lambda: "characters" in by_id(talk, "error").text, "the refusal is not told")
    assert not is_answering(talk)
    answer: Any = ask(talk, "How are you?")
    until(lambda: answer.text == "Fine.", "the answer is in another place")
