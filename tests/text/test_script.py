"""Scripts of several speakers, and texts of one."""

import pytest

from ttsops.text import Turn, read_script, read_turns

pytestmark = pytest.mark.unit


def test_a_line_is_a_turn() -> None:
    script = read_script("Speaker 1: Hello.\nSpeaker 2: Hi: how are you?\n\nSpeaker 1: Fine.")
    assert script.turns == (Turn(1, "Hello."), Turn(2, "Hi: how are you?"), Turn(1, "Fine."))
    assert script.speakers == (1, 2)
    assert script.unread == ()
    assert script.n_chars == len("Hello.Hi: how are you?Fine.")


@pytest.mark.parametrize("line", ["speaker 3:x", "  SPEAKER  3 :  x  ", "\tSpeaker 3: x\r"])
def test_case_and_white_space_do_not_matter(line: str) -> None:
    assert read_script(line).turns == (Turn(3, "x"),)


def test_lines_that_are_nobodys_are_told_by_their_number() -> None:
    script = read_script("\nSpeaker 1: A.\nwho says this?\n\nSpeaker: nor this\nSpeaker 2: B.")
    assert script.unread == (3, 5)
    assert [turn.text for turn in script.turns] == ["A.", "B."]


def test_a_turn_without_text_is_read_and_not_said() -> None:
    text = "Speaker 1:\nSpeaker 2: B."
    turns, _ = read_turns(text)
    assert turns == [Turn(1, ""), Turn(2, "B.")]
    assert read_script(text).turns == (Turn(2, "B."),)
    assert read_script("Speaker 1:  ").turns == ()


def test_a_plain_text_is_one_speakers_a_paragraph_at_a_time() -> None:
    script = read_script("First line,\ngoes on.\n \nSecond paragraph.\n\n\n")
    assert script.turns == (Turn(1, "First line, goes on."), Turn(1, "Second paragraph."))
    assert script.unread == ()


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
def test_nothing_is_no_turn(text: str) -> None:
    assert read_script(text).turns == ()
