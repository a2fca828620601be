"""Tokens of text in pieces equal those of the whole, as the published code makes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HubTokenizer

from ttsops.engines.nn.qwen_tokenizer import HashedWords, QwenTokenizer, Tokenizer
from ttsops.engines.vibevoice_realtime.tokens import TextTokens
from ttsops.errors import EngineUnavailable

pytestmark = pytest.mark.unit

TEXTS = (
    "Hello.",
    "Hello. ",
    "  Hello,   world!  \n",
    "It's 12:30. I’ll go, won’t you?",
    "One line\nand another.\n\nA paragraph\t with tabs .",
    "Wait… (what?) — “no”!!! ;-)",
    "你好，世界。今天天气很好！",
    "これはテストです。123、テスト。",
    "Cafe\u0301 nai\u0308ve a\u030a 3\u0338 =\u0338 x",
    "\u1112\u1161\u11ab\u1100\u1173\u11af 한국어",
    "नमस्ते दुनिया",
    "a \u00a0 b\u3000c\u2028d",
    "<|endoftext|> <|im_start|>user<tool_call>",
    "x_y __init__ a/b https://example.org/?q=1&r=2",
    "emoji 👩‍👩‍👧 🇩🇪 ok",
    "1234567890",
    ".",
)


def tokens_of(tokenizer: Tokenizer, pieces: list[str]) -> list[int]:
    tokens = TextTokens(tokenizer)
    ids: list[int] = []

    def take() -> None:
        while (word := tokens.next_ids()) is not None:
            ids.extend(word)

    for piece in pieces:
        tokens.feed(piece)
        take()
    tokens.end()
    take()
    assert tokens.is_exhausted
    return ids


def whole(tokenizer: Tokenizer, text: str) -> list[int]:
    """What the published code hands to the model."""
    prepared = text.replace("’", "'").strip()
    return tokenizer.encode(prepared + "\n") if prepared else []


@pytest.fixture(scope="module", params=["qwen", "hashed"])
def tokenizer(request: pytest.FixtureRequest, qwen_folder: Path) -> Tokenizer:
    return QwenTokenizer(qwen_folder) if request.param == "qwen" else HashedWords(10_000)


@pytest.mark.parametrize("text", TEXTS)
def test_letter_by_letter_equals_the_whole(tokenizer: Tokenizer, text: str) -> None:
    assert tokens_of(tokenizer, list(text)) == whole(tokenizer, text)


@pytest.mark.parametrize("text", TEXTS)
def test_at_once_equals_the_whole(tokenizer: Tokenizer, text: str) -> None:
    assert tokens_of(tokenizer, [text]) == whole(tokenizer, text)


ALPHABET = st.one_of(
    st.sampled_from("ab Z9.,!?'’\"()-_\n\r\t…—“。，你한é\u0301\u0338\u00a0\u3000\u1161\x1c<|>"),
    st.characters(codec="utf-8"),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.text(ALPHABET, max_size=12), max_size=8))
def test_any_text_in_any_pieces_equals_the_whole(tokenizer: Tokenizer, pieces: list[str]) -> None:
    assert tokens_of(tokenizer, pieces) == whole(tokenizer, "".join(pieces))


def test_what_is_no_character_is_replaced(tokenizer: Tokenizer) -> None:
    assert tokens_of(tokenizer, ["a \ud800", " b"]) == whole(tokenizer, "a ? b")


def test_a_word_is_given_as_soon_as_it_is_over(qwen_folder: Path) -> None:
    tokens = TextTokens(QwenTokenizer(qwen_folder))
    tokens.feed("Hel")
    tokens.feed("lo")
    assert tokens.next_ids() is None, "it may go on"
    tokens.feed(" ")
    assert tokens.next_ids() is not None
    tokens.feed("wor")
    assert tokens.next_ids() is None


def test_a_full_stop_waits_for_what_follows(qwen_folder: Path) -> None:
    """At the end of the text it becomes one token with the newline."""
    tokens = TextTokens(QwenTokenizer(qwen_folder))
    tokens.feed("Hello. ")
    assert tokens.next_ids() is not None
    assert tokens.next_ids() is None
    tokens.feed("N")
    assert tokens.next_ids() is not None


def test_a_long_text_without_a_cut_is_scanned_once(qwen_folder: Path) -> None:
    tokens = TextTokens(QwenTokenizer(qwen_folder))
    for _ in range(20_000):
        tokens.feed("好")
    assert tokens.next_ids() is None


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_white_space_alone_is_blank(qwen_folder: Path, text: str) -> None:
    tokens = TextTokens(QwenTokenizer(qwen_folder))
    tokens.feed(text)
    tokens.end()
    assert tokens.is_blank
    assert tokens.is_exhausted
    assert tokens.next_ids() is None


def test_plain_text_is_encoded_as_the_published_tokenizer_does(qwen_folder: Path) -> None:
    published = HubTokenizer.from_file(str(qwen_folder / "tokenizer.json"))
    for text in TEXTS:
        if "<" not in text:
            assert QwenTokenizer(qwen_folder).encode(text) == published.encode(text).ids


def test_a_text_that_spells_a_control_token_is_read_as_characters(qwen_folder: Path) -> None:
    published = HubTokenizer.from_file(str(qwen_folder / "tokenizer.json"))
    control = published.token_to_id("<|endoftext|>")
    assert control in published.encode("<|endoftext|>").ids
    ids = QwenTokenizer(qwen_folder).encode("<|endoftext|>")
    assert control not in ids
    assert len(ids) > 3


def test_vocabulary_and_merges_alone_are_enough(qwen_folder: Path, tmp_path: Path) -> None:
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(qwen_folder / name, tmp_path)
    for text in TEXTS:
        assert QwenTokenizer(tmp_path).encode(text) == QwenTokenizer(qwen_folder).encode(text)


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=str(tmp_path)):
        QwenTokenizer(tmp_path)
