"""What of a script is said, and what is a chapter."""

from __future__ import annotations

import pytest

from ttsops.errors import EmptyText, InvalidValue
from ttsops.render import read_render_script

pytestmark = pytest.mark.unit

DIALOGUE = """# The harbour
Speaker 1: Did you see it?

speaker 2 : I did.
# The way home
Speaker 1: Then we went.
"""


def test_turns_and_chapters() -> None:
    script = read_render_script(DIALOGUE)
    assert [(turn.speaker, turn.text) for turn in script.turns] == [
        (1, "Did you see it?"),
        (2, "I did."),
        (1, "Then we went."),
    ]
    assert dict(script.chapters) == {0: "The harbour", 2: "The way home"}
    assert script.speakers == (1, 2)


def test_a_text_is_one_speakers_turn_by_paragraph() -> None:
    script = read_render_script("One\nline.\n\n# Two\n\nAnother.\n")
    assert [turn.text for turn in script.turns] == ["One line.", "Another."]
    assert dict(script.chapters) == {1: "Two"}


def test_a_chapter_without_a_turn_is_none() -> None:
    assert dict(read_render_script("Words.\n# The end\n").chapters) == {}


def test_lines_of_nobody_are_named_as_they_are_counted_in_the_file() -> None:
    with pytest.raises(InvalidValue, match="lines 2, 5 of the script do not say who speaks"):
        read_render_script("# A\nlost\nSpeaker 1: x\n# B\nlost, too\nSpeaker 2: y")


@pytest.mark.parametrize("text", ["", "\n \n", "# Only a title\n"])
def test_nothing_to_say_is_refused(text: str) -> None:
    with pytest.raises(EmptyText):
        read_render_script(text)
