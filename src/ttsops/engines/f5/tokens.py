"""From text to token ids, as the published model was trained: letters, and pinyin for Chinese.

English, and whatever else is plain ASCII, needs no dictionary. Other text is cut into words by `rjieba`, and
Chinese words become syllables by `pypinyin`, each behind a space. The rules, exceptions included, are those
of https://github.com/SWivid/F5-TTS (`model/utils.py`, `convert_char_to_pinyin`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ttsops.errors import EngineUnavailable

UNKNOWN = 0
"""What is in no line of the vocabulary is spoken as its first, the space."""

_PLAINER = str.maketrans(
    {";": ",", "\N{LEFT DOUBLE QUOTATION MARK}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"'}
    | {"\N{LEFT SINGLE QUOTATION MARK}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'"}
)

_NEEDS_NO_SPACE = (" ", ":", "'", '"')
"""A word that follows one of these joins it."""

_FIRST_CHINESE, _LAST_CHINESE = "\u3100", "\u9fff"

_DICTIONARY = re.compile(r"(AT&T|C\+\+|C#|c\+\+|c#)")
"""What the dictionary of `rjieba` has in ASCII: words of their own wherever they stand."""

_ASCII_WORDS = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*%?|[+#&._%-]+|\r\n|[\s\S]")


class Vocabulary:
    """Token → id: the line of `vocab.txt` it is on."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = ids

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Raises `EngineUnavailable` if there is none at `path`."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as e:
            raise EngineUnavailable(
                f"no vocabulary can be read at `{path}`: {e}",
                hint="give the vocab.txt that came with the model",
            ) from e
        # Only line feeds end a line: the first token is a space, and others are what Python may split at.
        lines = text.removesuffix("\n").split("\n")
        if lines[UNKNOWN] != " ":
            raise EngineUnavailable(
                f"`{path}` is no vocabulary of F5-TTS: its first line is not a space",
                hint="give the vocab.txt that came with the model, unchanged",
            )
        return cls({token: i for i, token in enumerate(lines)})

    @classmethod
    def of_ascii(cls) -> Vocabulary:
        """Printable ASCII: what a model with random weights is asked to say is all the same to it."""
        return cls({chr(code): code - ord(" ") for code in range(ord(" "), 127)})

    def __len__(self) -> int:
        """Tokens that have an id."""
        return len(self._ids)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """One id for each token."""
        return [self._ids.get(token, UNKNOWN) for token in tokens]


def tokenize(text: str) -> list[str]:
    """Tokens of transcript and text in one: words at their border belong together.

    Raises `EngineUnavailable` for text beyond ASCII where `rjieba` or `pypinyin` is not installed.
    """
    text = text.translate(_PLAINER)
    tokens: list[str] = []
    for word in segment(text):
        n_bytes = len(word.encode())
        if n_bytes == len(word):
            if tokens and len(word) > 1 and tokens[-1] not in _NEEDS_NO_SPACE:
                tokens.append(" ")
            tokens += word
        elif n_bytes == 3 * len(word):
            tokens += _pinyin_of_word(word)
        else:
            for character in word:
                tokens += _pinyin_alone(character)
    return tokens


def segment(text: str) -> list[str]:
    """Words, and single characters between them."""
    if text.isascii():
        return _ascii_words(text)
    try:
        import rjieba
    except ImportError as e:
        raise _not_installed("rjieba") from e
    words: list[str] = rjieba.cut(text)
    return words


def _ascii_words(text: str) -> list[str]:
    words: list[str] = []
    for i, part in enumerate(_DICTIONARY.split(text)):
        words += [part] if i % 2 else _ASCII_WORDS.findall(part)
    return words


def _pinyin_of_word(word: str) -> Iterator[str]:
    syllables = _pinyin(word)
    if len(syllables) != len(word):  # what it does not know it leaves together
        syllables = [syllable for character in word for syllable in _pinyin(character)]
    for character, syllable in zip(word, syllables, strict=True):
        if _is_chinese(character):
            yield " "
        yield syllable


def _pinyin_alone(character: str) -> Iterator[str]:
    if not _is_chinese(character):
        yield character
        return
    yield " "
    yield from _pinyin(character)


def _pinyin(text: str) -> list[str]:
    """Syllables with their tone as a digit, changed as neighbours ask (bu4 dui4, ni2 hao3)."""
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError as e:
        raise _not_installed("pypinyin") from e
    return lazy_pinyin(text, style=Style.TONE3, tone_sandhi=True)


def _is_chinese(character: str) -> bool:
    return _FIRST_CHINESE <= character <= _LAST_CHINESE


def _not_installed(module: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"text that is not plain ASCII needs the module `{module}`, which is not installed",
        hint="pip install 'tts-ops[f5]'",
    )
