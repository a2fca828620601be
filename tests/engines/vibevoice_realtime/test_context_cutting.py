from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.engines.vibevoice_realtime.contexts import ContextCutter

pytestmark = pytest.mark.unit


def contexts(pieces: list[str], size: int) -> list[str]:
    cutter = ContextCutter(size)
    found = [""]
    for piece in pieces:
        for part, is_cut in cutter.feed(piece):
            found[-1] += part
            if is_cut:
                found.append("")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short.", ["Short."]),
        ("Twelve chars here. Then more.", ["Twelve chars here. ", "Then more."]),
        ("Twelve chars here!  (Then) more.", ["Twelve chars here!  ", "(Then) more."]),
        ("“Chars twelve?” Then more.", ["“Chars twelve?” ", "Then more."]),
        ("你好世界。今天很好。", ["你好世界。", "今天很好。"]),
        ("no sentence at all in here", ["no sentence at ", "all in here"]),
        ("no-place-to-cut-in-this-one", ["no-place-to-cut-in-this-one"]),
    ],
)
def test_a_text_is_cut_after_a_sentence(text: str, expected: list[str]) -> None:
    assert contexts([text], 12) == expected


@pytest.mark.parametrize("inner", ["of Mr. Smith", "at 1234.50 a", "on ab.org/cd"])
def test_a_full_stop_within_a_sentence_ends_nothing(inner: str) -> None:
    sentence = f"{'x' * 38} {inner} here. "
    assert contexts([sentence + "Then."], 44) == [sentence, "Then."]


def test_every_context_is_about_as_long_as_asked() -> None:
    sentence = "This is a sentence of forty characters. "
    found = contexts([sentence * 100], 400)
    assert len(found) == 10
    assert all(len(one) == 400 for one in found)


@given(pieces=st.lists(st.text(st.sampled_from('ab .!?。"\n你'), max_size=10)))
def test_cuts_do_not_depend_on_the_pieces_and_lose_nothing(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert contexts(pieces, 8) == contexts([text], 8)
    assert "".join(contexts(pieces, 8)) == text


@given(text=st.text(st.sampled_from("ab .!?。\n你")))
def test_no_context_but_the_first_begins_with_white_space(text: str) -> None:
    assert not any(one[:1].isspace() or not one for one in contexts([text], 8)[1:])
