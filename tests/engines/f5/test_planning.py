"""Chunks for streaming: the first is short, none is too long, nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.engines.f5.chunks import n_bytes
from ttsops.engines.f5.durations import VoicePace, duration_frames
from ttsops.engines.f5.planning import FIRST_BYTES, RECOMMENDED_FRAMES, plan_chunks
from ttsops.errors import InvalidValue

pytestmark = pytest.mark.unit

PACE = VoicePace("Some call me nature, others call me mother nature. ", 499)
STORY = (
    "I don't really care what you call me. I've been a silent spectator, watching species evolve, empires "
    "rise and fall. But always remember, I am mighty and enduring. Dr. Smith paid 3.50; nobody minded. "
) * 8
CHINESE = "突然，身边一阵笑声。我看着他们，意气风发地挺直了胸膛，甩了甩那稍显肉感的双臂，轻笑道。" * 6
TEXTS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(" .,!?\n。，aé好👩\u200d"))
) | st.text(st.sampled_from("ab ,."), min_size=200, max_size=600)


def without_blanks(text: str) -> str:
    return "".join(text.split())


def texts(text: str, **limits: int) -> list[str]:
    return [chunk.text for chunk in plan_chunks(text, PACE, **limits)]


def test_a_short_text_is_one_chunk() -> None:
    (chunk,) = plan_chunks("  Hello\nthere. ", PACE, 1.3)
    assert chunk.text == "Hello there."
    assert chunk.frames == duration_frames("Hello there.", PACE, 1.3)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_nothing_to_say_is_no_chunk(text: str) -> None:
    assert plan_chunks(text, PACE) == []


def test_the_first_chunk_is_short_and_the_others_grow() -> None:
    sizes = [n_bytes(one) for one in texts(STORY)]
    assert sizes[0] <= FIRST_BYTES
    assert sizes[1] <= 2 * FIRST_BYTES
    assert sizes[0] < sizes[1] < sizes[2]
    assert max(sizes) > 4 * FIRST_BYTES


def test_what_goes_on_begins_with_a_longer_chunk() -> None:
    assert len(texts(STORY, n_before=4)) < len(texts(STORY))
    assert n_bytes(texts(STORY, n_before=4)[0]) > FIRST_BYTES
    assert texts(STORY, n_before=10**9) == texts(STORY, n_before=16)


def test_it_cuts_after_clauses() -> None:
    assert texts("When the rain had stopped, we went out, and it was cold.")[0] == (
        "When the rain had stopped, we went out,"
    )
    for one in texts(STORY):
        assert one[-1] in ".,;", one


def test_it_cuts_between_words_where_a_clause_is_too_long() -> None:
    sentence = "the quick brown fox jumps over the lazy dog and runs away into the dark green forest"
    made = texts(sentence)
    assert " ".join(made) == sentence
    assert len(made) == 2


def test_a_short_beginning_is_filled_up_with_words() -> None:
    first = texts("Well, the quick brown fox jumps over the lazy dog and runs away into the forest.")[0]
    assert first.startswith("Well, the quick")


def test_a_text_without_blanks_is_cut_between_characters() -> None:
    made = texts("a" * 400)
    assert "".join(made) == "a" * 400
    assert len(made[0]) == FIRST_BYTES
    assert "".join(texts("好" * 400)) == "好" * 400


def test_an_emoji_of_several_characters_stays_whole() -> None:
    family = "👩\u200d👩\u200d👧"
    for one in texts(family * 30):
        assert one.count("\u200d") == 2 * one.count("👧")


@pytest.mark.parametrize("text", [STORY, CHINESE, "word " * 3000, "x" * 9000, "1" * 3000])
@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_no_chunk_exceeds_what_the_model_was_trained_on(text: str, speed: float) -> None:
    chunks = plan_chunks(text, PACE, speed)
    assert max(chunk.frames for chunk in chunks) <= RECOMMENDED_FRAMES
    assert without_blanks("".join(chunk.text for chunk in chunks)) == without_blanks(text)


@given(text=TEXTS, first_bytes=st.integers(1, 80), speed=st.floats(0.25, 4))
def test_nothing_is_lost_and_no_bound_is_passed(text: str, first_bytes: int, speed: float) -> None:
    chunks = plan_chunks(text, PACE, speed, first_bytes=first_bytes)
    assert without_blanks("".join(chunk.text for chunk in chunks)) == without_blanks(text)
    for number, chunk in enumerate(chunks):
        assert chunk.text == " ".join(chunk.text.split())
        assert chunk.text
        assert len(chunk.text) == 1 or n_bytes(chunk.text) <= first_bytes * 2**number
        assert chunk.frames == duration_frames(chunk.text, PACE, speed) <= RECOMMENDED_FRAMES


@pytest.mark.parametrize(
    "limits", [{"max_frames": 499}, {"max_frames": 8193}, {"first_bytes": 0}, {"max_frames": 0}]
)
def test_limits_that_cannot_be_kept_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        plan_chunks("Hello.", PACE, **limits)
