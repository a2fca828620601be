import time
from collections.abc import Callable

import pytest
from cutting import cut_texts, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsops.text import PhraseSplitter, SentenceSplitter, split_phrases, split_sentences

pytestmark = pytest.mark.unit

splitters = st.one_of(
    st.builds(lambda n: lambda: SentenceSplitter(n), st.integers(1, 60)),
    st.builds(lambda n, m: lambda: PhraseSplitter(n, min_chars=m), st.integers(1, 60), st.integers(0, 20)),
    st.just(SentenceSplitter),
    st.just(PhraseSplitter),
)


# Each case is written with a bar where the text is cut.
SENTENCES = {
    "plain": "Hello there.| How are you?| Fine!| Thanks",
    "lower case": "hello there.| how are you?| fine",
    "title": "Dr. Smith and Mrs. Jones met Prof. Lee.| They spoke.",
    "example": "Use a tool, e.g. a hammer, i.e. this one.| Done.",
    "initials": "J. K. Rowling wrote it.| John F. Kennedy did not.",
    "initialism before a name": "The U.S. Government said so.| OK.",
    "initialism at the end": "It was made in the U.S.| The end.",
    "company": "Acme Inc. Europe grew.| So did Foo Ltd.| The rest did not.",
    "time of day": "We met at 5 p.m. on Monday.| She left at 6 p.m.| Bob stayed.",
    "etc": "Apples, pears, etc. are fruit.| Nuts etc.| Are not.",
    "number after an abbreviation": "See No. 5 and Fig. 2 on p. 9.| I said no.| Then I left.",
    "decimals": "It costs 3.50 or 1,000.25 or so.| OK.",
    "number at the end": "It costs 5.| Then it cost 6.| OK.",
    "time": "At 10:30.| At 10.30 too.",
    "numbered list": "1. First do this.| 2. Then do that.",
    "numbered lines": "1. First do this\n2. Then do that",
    "German ordinal": "Am 3. Oktober war es.| Und z.B. im 19. Jahrhundert.",
    "URL": "See https://a.com/b.c?d=e!f and www.x.org.| Then go on.",
    "file name": "Open main.py and v1.2.3 of Node.js now.| Good.",
    "ellipsis that goes on": "Well... maybe not.| Or… perhaps.",
    "ellipsis that ends": "Well...| I see…| Yes.",
    "interrobang": "What?!| Really!!!| Yes.",
    "quotation": "“Stop.”| He ran.| 'No!'| \"Yes?\"| OK.",
    "quotation that goes on": '“Stop!” she said.| "Really?" he asked.',
    "bracket": "(It rained.)| We left (sadly?) and late.",
    "emphasis": "**Done.**| Next *one!*| More.",
    "French": "« Oui ! »| dit-elle.| Non ?| Si !",
    "Chinese": "你好。|我是小明！|好吗？|“是的。”|走吧",
    "mixed scripts": "Hello!|你好.|我 is 3.5 tall.| OK.",
    "Hindi": "यह एक है।| यह दो है।",
    "paragraphs": "A title|\n\nA paragraph\nwrapped by hand|\n \nAnother",
    "white space": "  One.|  Two.|\n\nThree.|\t",
    "only marks": '... "?!" ...',
    "marks before the first word": "¡Hola!| ...and so on.| - Well.",
    "no end": "there is no full stop",
    "emoji": "Great!| 🎉 Next.",
}


@pytest.mark.parametrize("case", SENTENCES.values(), ids=SENTENCES.keys())
def test_sentences_end_where_a_reader_ends_them(case: str) -> None:
    assert split_sentences(case.replace("|", "")) == case.split("|")


PHRASES = {
    "clauses": "When it rained on Monday,| we stayed at home;| all day: inside.| Good.",
    "short clauses stay": "Well, yes, that was it.",
    "numbers": "It costs 1,000,000 at 10:30:00 in the morning,| he said.",
    "dashes": "The old house—empty for years—|stood there – as ever –| in the rain.",
    "Chinese": "他今天早上很早就出门去公司上班了，|可是他忘了带伞，所以淋湿了。",
    "quotation": "“If only I had known,”| she said.",
    "no space after the comma": "some,words,without,any,space",
}


@pytest.mark.parametrize("case", PHRASES.values(), ids=PHRASES.keys())
def test_phrases_end_at_clauses(case: str) -> None:
    assert split_phrases(case.replace("|", ""), max_chars=80) == case.split("|")


def test_a_long_sentence_is_cut_after_a_clause_then_at_a_space_then_hard() -> None:
    assert split_sentences("one two, three four five six", max_chars=20) == [
        "one two,",
        " three four five six",
    ]
    assert split_sentences("one two three four five", max_chars=20) == ["one two three four", " five"]
    assert split_sentences("abcdefghij" * 3, max_chars=20) == ["abcdefghij" * 2, "abcdefghij"]


def test_a_hard_cut_keeps_accents_and_joined_emoji_with_their_base() -> None:
    text = "x" * 18 + "e\u0301\u0302yyy"
    assert split_sentences(text, max_chars=20) == ["x" * 18, "e\u0301\u0302yyy"]
    text = "x" * 18 + "👨‍👩‍👧yyy"
    assert split_sentences(text, max_chars=20) == ["x" * 18, "👨‍👩‍👧yyy"]


@pytest.mark.parametrize(
    ("known", "ready"),
    [
        ("Hello there.", []),  # "5" or a quotation mark may follow
        ("Hello there. ", ["Hello there."]),
        ("Hello there.\n", ["Hello there."]),
        ("It costs 3.", []),
        ("It costs 3.50 now. ", ["It costs 3.50 now."]),
        ("What?", []),
        ("What? ", ["What?"]),
        ("Wait... ", []),  # "what" may follow
        ("Wait... W", []),
        ("Wait... What ", ["Wait..."]),
        ("“Stop!” ", []),
        ("“Stop!” He ", ["“Stop!”"]),
        ("Met Dr. ", []),
        ("Met Dr. Smith. ", ["Met Dr. Smith."]),
        ("In the U.S. ", []),
        ("In the U.S. The ", ["In the U.S."]),
        ("你好。", []),  # a closing quotation mark may follow
        ("你好。我", ["你好。"]),
        ("A title\n", []),
        ("A title\n\n", ["A title"]),
    ],
)
def test_a_sentence_comes_as_soon_as_its_end_is_certain(known: str, ready: list[str]) -> None:
    assert SentenceSplitter().feed(known) == ready


@settings(deadline=None)
@given(splitters, cut_texts())
def test_no_character_is_lost_and_pieces_do_not_depend_on_feeding(
    create: Callable[[], SentenceSplitter], case: tuple[str, list[str]]
) -> None:
    text, pieces = case
    whole = create()
    expected = whole.feed(text) + whole.end()
    splitter = create()
    emitted = [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.end()
    assert emitted == expected
    assert "".join(emitted) == text
    assert all(emitted), "an empty piece says nothing"
    assert splitter.end() == [], "after the end it starts anew"


@settings(deadline=None)
@given(texts, st.integers(1, 60))
def test_no_piece_is_longer_than_asked(text: str, max_chars: int) -> None:
    assert max(map(len, split_sentences(text, max_chars)), default=0) <= max_chars
    assert max(map(len, split_phrases(text, max_chars)), default=0) <= max_chars


@settings(deadline=None)
@given(texts)
def test_only_the_last_piece_may_have_nothing_to_say(text: str) -> None:
    for piece in split_sentences(text, 1000)[:-1]:
        assert any(c.isalnum() for c in piece)


@settings(deadline=None)
@given(texts, st.integers(1, 30))
def test_little_is_held_back(text: str, max_chars: int) -> None:
    """However much is fed, what waits is one piece and the look-ahead of its end."""
    splitter = SentenceSplitter(max_chars)
    splitter.feed(text * 20)
    assert len("".join(splitter.end())) <= max_chars + 80


def test_max_chars_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_chars is 0"):
        SentenceSplitter(0)


def seconds(split: Callable[[str], object], text: str) -> float:
    def once() -> float:
        start = time.process_time()
        split(text)
        return time.process_time() - start

    return min(once() for _ in range(3))


def feed_by_letter(text: str) -> None:
    splitter = SentenceSplitter()
    for letter in text:
        splitter.feed(letter)
    splitter.end()


@pytest.mark.parametrize("split", [split_sentences, split_phrases, feed_by_letter])
@pytest.mark.parametrize("unit", ["The fox, who is old, jumps. ", "!", ". ", "\n", "a", ", ", "U.S. "])
def test_time_grows_with_the_length_of_the_text(split: Callable[[str], object], unit: str) -> None:
    """Eight times the text takes about eight times as long; a quadratic splitter takes 64 times."""
    n_chars = 5_000 if split is feed_by_letter else 50_000
    small = unit * (n_chars // len(unit))
    assert seconds(split, small * 8) < 24 * max(seconds(split, small), 0.001)
