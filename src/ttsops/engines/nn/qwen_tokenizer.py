"""The tokenizer the model was trained with, Qwen2.5's, read from its published files; and a stand-in.

Control tokens are left out: a text that spells one (`<|endoftext|>`) is read as the characters it has, where
the published code would hand the model the control token itself.
"""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Protocol

from tokenizers import Regex, pre_tokenizers
from tokenizers import Tokenizer as HubTokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import NFC

from ttsops.errors import EngineUnavailable

QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Qwen2.5 cuts a text before it is encoded."""


class Tokenizer(Protocol):
    """From text to ids. Cutting a text where `tokens.is_cut` allows does not change its ids."""

    n_ids: int
    """Every id is below this."""

    def encode(self, text: str) -> list[int]:
        """Without control tokens."""
        ...


class QwenTokenizer:
    """Byte-level BPE over the words of `QWEN_WORDS`."""

    def __init__(self, path: Path) -> None:
        """`path` is a `tokenizer.json`, or a folder with one or with `vocab.json` and `merges.txt`.

        Raises `EngineUnavailable` if it holds none of them.
        """
        try:
            self._tokenizer = _read(path)
            self.n_ids: int = self._tokenizer.get_vocab_size(with_added_tokens=False)
        except Exception as e:  # what the library raises is a plain Exception
            raise EngineUnavailable(
                f"no tokenizer can be read at `{path}`: {e}",
                hint="give the folder of `tokenizer.json` of Qwen/Qwen2.5-0.5B",
            ) from e

    def encode(self, text: str) -> list[int]:
        """Without control tokens."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


class HashedWords:
    """One id for each word or mark: a stand-in where random weights need no real tokenizer."""

    _WORD = re.compile(r"\s*[^\W_]+|\s*(?:[^\w\s]|_)+|\s+")

    def __init__(self, vocab_size: int) -> None:
        self.n_ids = vocab_size

    def encode(self, text: str) -> list[int]:
        """The same on every machine."""
        return [zlib.crc32(word.encode()) % self.n_ids for word in self._WORD.findall(text)]


def _read(path: Path) -> HubTokenizer:
    if path.is_dir() and not (path / "tokenizer.json").exists():
        return _from_vocabulary(path / "vocab.json", path / "merges.txt")
    tree = json.loads((path / "tokenizer.json" if path.is_dir() else path).read_text())
    tree |= {"added_tokens": [], "truncation": None, "padding": None}
    tokenizer: HubTokenizer = HubTokenizer.from_str(json.dumps(tree))
    return tokenizer


def _from_vocabulary(vocab: Path, merges: Path) -> HubTokenizer:
    tokenizer = HubTokenizer(BPE.from_file(str(vocab), str(merges)))
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer
