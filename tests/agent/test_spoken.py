"""Frame accounting: which words were heard when so much was played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.agent.spoken import CHARS_PER_SECOND, SpokenLedger
from ttsops.speech import SAMPLE_RATE, Mark

pytestmark = pytest.mark.unit


def test_a_player_plays_from_the_first_sound_on_and_waits_where_it_runs_dry() -> None:
    ledger = SpokenLedger()
    assert ledger.seconds_played(5.0) == 0.0
    ledger.leave(10.0, 2 * SAMPLE_RATE)
    assert ledger.seconds_played(10.5) == pytest.approx(0.5)
    assert ledger.is_playing(11.9)
    assert not ledger.is_playing(12.1)
    assert ledger.seconds_played(15.0) == pytest.approx(2.0)
    ledger.leave(15.0, SAMPLE_RATE)
    assert ledger.seconds_played(15.25) == pytest.approx(2.25)


def test_audio_far_ahead_of_its_player_is_not_yet_played() -> None:
    ledger = SpokenLedger()
    for _ in range(10):
        ledger.leave(0.0, SAMPLE_RATE)
    assert ledger.seconds == 10.0
    assert ledger.seconds_played(3.0) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("seconds", "heard"),
    [(0.0, ""), (0.4, ""), (0.5, "One"), (1.1, "One two"), (1.5, "One two three."), (9.0, "One two three.")],
)
def test_with_marks_a_word_counts_when_the_next_begins(seconds: float, heard: str) -> None:
    ledger = SpokenLedger()
    ledger.give("One two three.")
    marks = [Mark(0.0, 0, 3), Mark(0.5, 4, 3), Mark(1.0, 8, 6)]
    ledger.leave(0.0, round(1.5 * SAMPLE_RATE), marks)
    ledger.complete(14)
    assert ledger.text_at(seconds) == heard


@pytest.mark.parametrize(
    ("seconds", "heard"),
    [
        (0.0, ""),
        (1.2, "The first clause,"),
        (2.0, "The first clause, and"),
        (3.5, "The first clause, and the second"),
    ],
)
def test_without_marks_clauses_that_are_complete_say_where_it_is(seconds: float, heard: str) -> None:
    ledger = SpokenLedger()
    ledger.give("The first clause, and the second one.")
    ledger.leave(0.0, SAMPLE_RATE)
    ledger.complete(len("The first clause,"))
    ledger.leave(0.0, 3 * SAMPLE_RATE)
    ledger.complete(len(ledger.text))
    assert ledger.text_at(seconds) == heard
    assert ledger.text_at(4.0) == ledger.text


def test_before_anything_is_known_it_goes_by_a_usual_pace() -> None:
    ledger = SpokenLedger()
    ledger.give("word " * 100)
    ledger.leave(0.0, 8 * SAMPLE_RATE)
    assert len(ledger.text_at(4.0)) == pytest.approx(4 * CHARS_PER_SECOND, abs=5)


def test_half_a_word_was_not_heard() -> None:
    ledger = SpokenLedger()
    ledger.give("Extraordinary")
    ledger.leave(0.0, SAMPLE_RATE)
    assert ledger.text_at(0.5) == ""


@given(st.text("ab ,.", max_size=60), st.floats(0, 20), st.integers(0, 400_000), st.integers(0, 60))
def test_what_was_heard_is_a_beginning_of_what_was_given(
    text: str, seconds: float, n_samples: int, n_chars: int
) -> None:
    ledger = SpokenLedger()
    ledger.give(text)
    ledger.leave(0.0, n_samples)
    ledger.complete(min(n_chars, len(text)))
    ledger.leave(0.0, 1000)
    assert text.lstrip().startswith(ledger.text_at(seconds))
