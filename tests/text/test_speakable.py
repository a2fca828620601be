import re
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from cutting import cut_texts, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsops.text import SpeakableText, TextOptions, make_speakable, split_sentences
from ttsops.text.emoji_names import EmojiNames
from ttsops.text.markdown import Markdown
from ttsops.text.numbers import Numbers

pytestmark = pytest.mark.unit

ANSWER = """## 🚀 Getting started

Here's what you need, in **3 easy steps** (about 10 min):

1. **Install** Python 3.11+ from [python.org](https://www.python.org/downloads/).
2. Run `pip install tts-ops`:
   ```bash
   pip install tts-ops
   ```
3. Say *hello*! 😊

| Plan | Price |
|------|------:|
| Free | $0 |
| Pro | $9.99/month |

> **Note:** it's ~50% faster since v1.2.

That's it — enjoy!
"""
SAID = """rocket, Getting started.

Here's what you need, in three easy steps (about ten minutes):

one: Install Python three point one one plus from python.org.
two: Run pip install tts-ops:
Code block.
three: Say hello! smiling face with smiling eyes.

Plan, Price.
Free, zero dollars.
Pro, nine dollars and ninety-nine cents per month.

Note: it's about fifty percent faster since version one point two.

That's it — enjoy!
"""

languages = st.sampled_from(["en", "de", ""])
options = st.builds(
    TextOptions, st.booleans(), st.booleans(), st.booleans(), st.sampled_from([None, "", "Code."])
)

words = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)
gaps = st.sampled_from(
    [" ", " ", " ", ", ", ". ", "! ", "? ", "; ", ": ", "\n", "\n\n", " — ", "-", "’s ", " (", ") "]
)
prose = st.lists(st.tuples(words, gaps), max_size=30).map(lambda pairs: "".join(map("".join, pairs)))


def feed(speakable: SpeakableText, pieces: list[str]) -> str:
    return "".join([speakable.feed(piece) for piece in pieces] + [speakable.end()])


def test_an_answer_of_a_language_model_is_made_speakable() -> None:
    assert make_speakable(ANSWER, "en-US") == SAID
    assert feed(SpeakableText("en-US"), re.findall(r"\s*\S+|\s+$", ANSWER)) == SAID


def test_sentences_of_a_speakable_answer_end_with_a_stop() -> None:
    for sentence in split_sentences(SAID):
        assert sentence.rstrip()[-1:] in ".!:", sentence


@settings(deadline=None)
@given(cut_texts(), languages, options)
def test_the_result_does_not_depend_on_how_the_text_is_fed(
    case: tuple[str, list[str]], language: str, options: TextOptions
) -> None:
    text, pieces = case
    speakable = SpeakableText(language, options)
    expected = make_speakable(text, language, options)
    assert feed(speakable, pieces) == expected
    assert feed(speakable, list(text)) == expected, "after the end it starts anew"


@settings(deadline=None)
@given(cut_texts(), st.integers(1, 40), st.integers(1, 20), st.integers(1, 12))
def test_nor_where_a_rule_can_see_little(
    case: tuple[str, list[str]], markdown: int, numbers: int, emoji: int
) -> None:
    """With short reaches the ends of windows fall everywhere."""
    text, pieces = case
    with pytest.MonkeyPatch.context() as patch:
        for stage, reach in ((Markdown, markdown), (Numbers, numbers), (EmojiNames, emoji)):
            patch.setattr(stage, "reach", reach)
        assert feed(SpeakableText("en"), pieces) == make_speakable(text, "en")


@settings(deadline=None)
@given(prose, languages)
def test_plain_prose_is_not_changed(text: str, language: str) -> None:
    assert make_speakable(text, language) == text


@settings(deadline=None)
@given(texts, languages)
def test_switched_off_nothing_is_changed(text: str, language: str) -> None:
    assert make_speakable(text, language, TextOptions(markdown=False, emoji=False, numbers=False)) == text


@settings(deadline=None)
@given(texts)
def test_what_is_said_is_bounded_by_what_is_written(text: str) -> None:
    assert len(make_speakable(text, "en")) <= 60 * len(text)


HELD = (
    "[", "[a", "[a](", "`", "`a ", "``", "<!--", "<b ", "<b a=", "http://", "w", "*", "_a", "~", "&a", "|",
    "| a", "1 ", "1,", "1-", "$", "+1 ", "😀", "🇫", "👨\u200d", "a\u0301", " ", "\n", "\t\n", "# ", "- ",
    "1. ", "> ", "---", "=", "!", "\\",
)  # fmt: skip


@pytest.mark.parametrize("unit", HELD)
def test_little_is_held_back_whatever_is_fed(unit: str) -> None:
    """20 000 characters go in without an end; what comes out at the end is what one window may hold."""
    for start in ("", "x ", "| ", "- "):
        speakable = SpeakableText("en")
        speakable.feed(start + unit * (20_000 // len(unit)))
        assert len(speakable.end()) < 12_000


def test_plain_words_flow_through_at_once() -> None:
    speakable = SpeakableText("en")
    for word in re.findall(
        r"\s*\S+", "This is how it flows, word by word. What? Yes!\n\nAnd what happens here?"
    ):
        said = speakable.feed(word)
        # A mark at the end waits for the next letter: "." may begin "...", "!" a picture.
        assert word.strip().rstrip(".!?") in said


def test_a_word_after_a_number_is_all_that_waits() -> None:
    speakable = SpeakableText("en")
    said = [speakable.feed(word) for word in ("I", " ate", " 5", " big", " apples", " today")]
    assert said == ["I", " ate", " ", "", "five big apples", " today"]


def test_a_sentence_is_spoken_before_the_next_is_written() -> None:
    assert SpeakableText("en").feed("**All** is `well` here. ") == "All is well here. "


def test_plain_text_imports_no_library() -> None:
    """They take 70 and 40 ms to import, which only a text with emoji or numbers should pay."""
    code = (
        "import sys; from ttsops.text import make_speakable, split_sentences\n"
        "split_sentences(make_speakable('# Hello **there**, it is me; C’est la vie. 你好。', 'en'))\n"
        "assert not {'emoji', 'num2words'} & set(sys.modules), 'imported too early'\n"
        "make_speakable('5 👍', 'en')\n"
        "assert {'emoji', 'num2words'} <= set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def seconds(text: str) -> float:
    def once() -> float:
        start = time.process_time()
        make_speakable(text, "en")
        return time.process_time() - start

    return min(once(), once())


UNITS = (
    ANSWER, "Plain words, and more of them. ", "a [b](c) **d** `e` ", "[", "[a](", "`a ", "<b ", "*", "_a",
    "| a ", " ", "\n", "- ", "> ", "# ", "1", "1 ", "1-", "$1,", "😀", "👨\u200d", "http://", "=", "-",
    "```\n", "~", "&a", "<!--",
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length_of_the_text(unit: str) -> None:
    """Eight times the text takes about eight times as long; a quadratic rule takes 64 times."""
    small = unit * (3_000 // len(unit))
    assert seconds(small * 8) < 24 * max(seconds(small), 0.001)


def test_a_megabyte_is_done_in_linear_time() -> None:
    """Fed at once: no copy of what is left is made for every sentence."""
    text = "Plain words, and **more** of them; 5 km of [them](x). "
    sizes = [250_000, 500_000, 1_000_000]
    times = [seconds(text * (size // len(text))) for size in sizes]
    assert all(b < 4 * a for a, b in pairwise(times))


@settings(deadline=None, max_examples=30)
@given(texts.filter(bool), st.integers(2_000, 6_000))
def test_no_text_makes_a_rule_slow(text: str, n_chars: int) -> None:
    """A rule that backtracks without bound would need minutes for some of these."""
    start = time.process_time()
    make_speakable(text * (n_chars // len(text) + 1), "en")
    assert time.process_time() - start < 10
