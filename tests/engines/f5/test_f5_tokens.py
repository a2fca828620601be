"""Text into tokens: the published rules, and no dictionary for plain ASCII."""

import random
import string
import subprocess
import sys
from pathlib import Path

import pytest
import rjieba

from ttsops.engines.f5.tokens import Vocabulary, segment, tokenize
from ttsops.errors import EngineUnavailable

pytestmark = pytest.mark.unit

VOCAB = Path(__file__).parents[2] / "golden" / "f5" / "tokens" / "vocab.txt"

WORDS = (
    "AT&T",
    "C++",
    "C#",
    "c#",
    "c++",
    "don't",
    "x1",
    "3.14",
    "50%",
    "e-mail",
    "U.S.A.",
    "hello_world",
    "a.b",
    "..",
    "--",
    "%",
    "1,000",
    "&",
    "+",
    "#1",
    "C",
    "F",
)


@pytest.mark.server
def test_plain_ascii_loads_no_dictionary() -> None:
    script = """
import sys
from ttsops.engines.f5.tokens import tokenize
print("".join(tokenize('C++ at 50% of AT&T; "fine", isn\\u2019t it?')))
print(sorted({"rjieba", "pypinyin"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['C++ at 50% of AT&T, "fine", isn\'t it?', "[]"]


def test_ascii_is_cut_where_the_dictionary_cuts_it() -> None:
    randomness = random.Random(7)
    for i in range(20_000):
        if i % 2:
            text = "".join(randomness.choice(string.printable) for _ in range(randomness.randint(1, 25)))
        else:
            words = (
                randomness.choice(WORDS) + randomness.choice([" ", "", ","])
                for _ in range(randomness.randint(1, 8))
            )
            text = "".join(words)
        assert segment(text) == rjieba.cut(text), repr(text)


def test_a_chinese_word_becomes_syllables_each_behind_a_space() -> None:
    assert tokenize("你好") == [" ", "ni2", " ", "hao3"]
    assert tokenize("OK吗？") == ["O", "K", " ", "ma", "？"]


def test_a_word_stands_apart_unless_it_follows_a_space_or_a_quote() -> None:
    assert tokenize("好world") == [" ", "hao3", " ", *"world"]
    assert tokenize('"word"') == list('"word"')


@pytest.mark.parametrize("module", ["rjieba", "pypinyin"])
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineUnavailable, match=f"needs the module `{module}`") as e:
        tokenize("你好")
    assert e.value.hint == "pip install 'tts-ops[f5]'"
    assert tokenize("hello") == list("hello")


def test_an_id_is_the_line_of_a_token_and_unknown_ones_are_the_space() -> None:
    vocabulary = Vocabulary.read(VOCAB)
    lines = VOCAB.read_text().split("\n")
    assert len(vocabulary) == 2545
    assert vocabulary.ids([" ", "zhong1", "`", "🎉"]) == [0, lines.index("zhong1"), 0, 0]
    assert "zhong1" in vocabulary
    assert "`" not in vocabulary


def test_line_ends_of_other_systems_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(VOCAB.read_bytes().replace(b"\n", b"\r\n"))
    tokens = tokenize("Hello, 世界!")
    assert Vocabulary.read(path).ids(tokens) == Vocabulary.read(VOCAB).ids(tokens)


def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    with pytest.raises(EngineUnavailable, match="no vocabulary can be read"):
        Vocabulary.read(path)
    path.write_text("stripped\nof its first line\n")
    with pytest.raises(EngineUnavailable, match="its first line is not a space"):
        Vocabulary.read(path)


def test_printable_ascii_is_a_vocabulary_without_a_file() -> None:
    vocabulary = Vocabulary.of_ascii()
    assert vocabulary.ids([" ", "!", "~"]) == [0, 1, 94]
    assert len(vocabulary) == 95
