"""Text as it is written made into text as it is said, while it is still arriving.

The rule groups work one after another, each on what the one before hands out: Markdown, then emoji, then
numbers. Each can be switched off per request. What is held back is bounded: a number until the word after it
is known, markup until it is closed or too long to be any; other words flow through at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttsops.text.emoji_names import EmojiNames
from ttsops.text.markdown import Markdown
from ttsops.text.numbers import Numbers
from ttsops.text.rewriter import Rewriter

RULES_VERSION = 1
"""Goes up when a text is said in other words than before; a test holds it to what the rules give."""


@dataclass(frozen=True, slots=True)
class TextOptions:
    """What is changed before a text is spoken; everything by default."""

    markdown: bool = True
    """Markup, HTML tags and addresses are made speakable; blocks of code are left out."""

    emoji: bool = True
    """Emoji are spoken by name; left out in languages without names for them."""

    numbers: bool = True
    """Numbers become words; in English only."""

    code_block: str | None = None
    """Said in place of a block of code; empty: nothing; None: "Code block." in English, else nothing."""


class SpeakableText:
    """Text in pieces in, speakable text out, the same however it is cut. One per text; as new after `end`.

    `language` is a BCP 47 tag; with an empty one nothing is said that is not in the text.
    """

    def __init__(self, language: str = "", options: TextOptions | None = None) -> None:
        self._stages = _stages(language, options or TextOptions())

    def feed(self, text: str) -> str:
        """What can be said now; may be empty."""
        for stage in self._stages:
            text = stage.feed(text)
        return text

    def end(self) -> str:
        """The rest."""
        text = ""
        for stage in self._stages:
            text = stage.feed(text) + stage.end()
        return text


def make_speakable(text: str, language: str = "", options: TextOptions | None = None) -> str:
    """All of `text` as it is said."""
    speakable = SpeakableText(language, options)
    return speakable.feed(text) + speakable.end()


def _stages(language: str, options: TextOptions) -> list[Rewriter]:
    is_english = language.lower().replace("_", "-").split("-")[0] == "en"
    stages: list[Rewriter] = []
    if options.markdown:
        code_block = options.code_block
        if code_block is None:
            code_block = "Code block." if is_english else ""
        boxes = {"done": "done: ", "to_do": "to do: "} if is_english else {}
        stages.append(Markdown(code_block=code_block, **boxes))
    if options.emoji:
        stages.append(EmojiNames(language))
    if options.numbers and is_english:
        stages.append(Numbers())
    return stages
