"""Token ids of text that is still being written, equal to those of the whole text.

Only what lies before a cut that the tokenizer makes whatever follows is encoded; the tail is held back. The
whole is what the published code makes of it: typographic apostrophes replaced, stripped, a newline at the
end.
"""

from __future__ import annotations

import unicodedata
from collections import deque

from ttsops.engines.nn.qwen_tokenizer import Tokenizer


class TextTokens:
    """The text of one context, as it arrives. Encodes no more than is asked for."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._words: deque[str] = deque()
        self._tail = ""
        self._n_scanned = 0
        self._is_ended = False
        self.is_blank = True
        """Nothing but white space so far."""

    def feed(self, text: str) -> None:
        """More text."""
        text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair is no character
        self._tail += text.lstrip() if self.is_blank else text
        self.is_blank = self.is_blank and not self._tail
        while (cut := self._next_cut()) is not None:
            self._words.append(self._tail[:cut])
            self._tail = self._tail[cut:]
            self._n_scanned = 0

    def end(self) -> None:
        """No more text will come: the tail is final."""
        if not self._is_ended and not self.is_blank:
            self._words.append(self._tail.rstrip() + "\n")
        self._tail = ""
        self._is_ended = True

    @property
    def is_exhausted(self) -> bool:
        """The text has ended and all of its ids were taken."""
        return self._is_ended and not self._words

    def next_ids(self) -> list[int] | None:
        """Ids of the next word; None if none is final yet."""
        return self._tokenizer.encode(self._words.popleft()) if self._words else None

    def _next_cut(self) -> int | None:
        # Trailing white space is stripped if the text ends here, and the newline then follows the word.
        n_visible = len(self._tail.rstrip())
        for at in range(max(self._n_scanned, 1), len(self._tail)):
            if is_cut(self._tail[at - 1], self._tail[at]) and (
                at < n_visible or self._tail[at - 1].isalnum()
            ):
                return at
        self._n_scanned = n_visible
        return None


def is_cut(before: str, after: str) -> bool:
    """Whether the tokenizer cuts between two characters, whatever is around them.

    A word or digit ends before any space or mark. A mark ends before a space, but takes newlines with it.
    Nothing is cut before a character that could be composed with the one before it (NFC), such as an accent.
    """
    if before.isalnum():
        return after.isspace() or unicodedata.category(after)[0] in "PSZ"
    return not before.isspace() and (after in " \t" or unicodedata.category(after) == "Zs")
