import numpy as np
import pytest

from ttsops.engines.espeak.delivery import to_delivery
from ttsops.engines.espeak.lane import Heard
from ttsops.engines.espeak.library import Word
from ttsops.engines.espeak.utterance import EspeakUtterance

pytestmark = pytest.mark.unit


def utterance(text: str, *, is_complete: bool = True) -> EspeakUtterance:
    made = EspeakUtterance(to_delivery("gmw/en-US", 1.0, 1.0))
    made.feed(text)
    if is_complete:
        made.end()
    return made


def pcm(n_samples: int) -> bytes:
    return np.full(n_samples, 16384, "<i2").tobytes()


def places(one: EspeakUtterance, *words: Word) -> list[tuple[float, int, int]]:
    _, marks = one.hear([Heard(pcm(22_050), list(words))], is_ended=True)
    return [(mark.start_seconds, mark.text_start, mark.text_length) for mark in marks]


def test_marks_count_over_all_phrases_in_characters_and_seconds() -> None:
    one = utterance("Où est le café 😀? So it is there.")
    first = one.next_phrase()
    assert first
    assert first.text == "Où est le café 😀?"
    assert places(one, Word(0, 0), Word(10, 11_025)) == [(0.0, 0, 2), (0.5, 10, 4)]
    second = one.next_phrase()
    assert second
    assert second.text == " So it is there."
    assert places(one, Word(1, 0), Word(10, 11_025)) == [(1.0, 18, 2), (1.5, 27, 5)]
    assert one.is_done


def test_what_the_library_reports_of_a_word_is_joined_to_the_word() -> None:
    """It reports halves of `don't` and digits twice, at places that overlap."""
    one = utterance("I don't owe $1,234.50 (now).")
    one.next_phrase()
    words = [Word(at, at) for at in (0, 2, 13, 12, 14, 14, 16, 23, 27, 99)]
    assert [place[1:] for place in places(one, *words)] == [(0, 1), (2, 5), (13, 8), (23, 3)]


def test_samples_become_floats() -> None:
    one = utterance("Hello.")
    one.next_phrase()
    samples, _ = one.hear(
        [Heard(np.array([-32768, 0, 16384], "<i2").tobytes(), [Word(0, 0)])], is_ended=False
    )
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 0.5]


def test_silence_before_the_first_word_is_held_until_a_word_comes() -> None:
    one = utterance("... well.")
    one.next_phrase()
    held, _ = one.hear([Heard(pcm(100), [])], is_ended=False)
    assert len(held) == 0
    released, marks = one.hear([Heard(pcm(50), [Word(4, 120)])], is_ended=False)
    assert len(released) == 150
    assert marks[0].start_seconds == pytest.approx(120 / 22_050)


def test_text_without_a_word_gives_no_sample() -> None:
    one = utterance(" ... ")
    one.next_phrase()
    samples, marks = one.hear([Heard(pcm(6000), [])], is_ended=True)
    assert (len(samples), marks, one.is_done) == (0, (), True)


@pytest.mark.parametrize(
    ("text", "pauses"),
    [
        ("The first one ends here. The second.", [True, False]),
        ("Although it was late, she went on.", [True, False]),
        ("word " * 40 + "end.", [False, False]),
        ("A title stands alone\n\nThen text.", [True, False]),
    ],
)
def test_a_pause_follows_a_clause_but_not_the_last_nor_a_cut(text: str, pauses: list[bool]) -> None:
    one = utterance(text)
    found = []
    while phrase := one.next_phrase():
        found.append(phrase.has_end_pause)
        one.hear([], is_ended=True)
    assert found == pauses


def test_text_is_split_the_same_however_it_arrives() -> None:
    text = "Although it was late, she went on; nobody knew why. The end came soon."
    whole, pieces = utterance(text), utterance("", is_complete=False)
    for character in text:
        pieces.feed(character)
    pieces.end()
    assert list(whole._texts) == list(pieces._texts)
    assert "".join(whole._texts) == text


def test_what_would_end_or_command_the_library_becomes_a_space() -> None:
    one = utterance("one\0two\x01three\ud800four\ttab\nline")
    phrase = one.next_phrase()
    assert phrase
    assert phrase.text == "one two three four\ttab\nline"


def test_it_waits_until_a_phrase_is_complete() -> None:
    one = utterance("Not yet", is_complete=False)
    assert one.next_phrase() is None
    assert one.is_waiting
    assert not one.is_done
    one.end()
    assert one.next_phrase()
