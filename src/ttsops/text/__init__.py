"""What is said: splitting and normalising, also of text that is still arriving.

The way of a text: `SpeakableText` makes it speakable, then `SentenceSplitter` or `PhraseSplitter` cuts it
into what an engine takes. The place of SSML, pauses and a lexicon is a stage of `SpeakableText` before
Markdown; scripts of several speakers are taken apart before any of this.
"""

from ttsops.text.script import Script, Turn, read_script, read_turns
from ttsops.text.speakable import RULES_VERSION, SpeakableText, TextOptions, make_speakable
from ttsops.text.split import (
    PhraseSplitter,
    SentenceSplitter,
    group_sentences,
    split_phrases,
    split_sentences,
)

__all__ = [
    "RULES_VERSION",
    "PhraseSplitter",
    "Script",
    "SentenceSplitter",
    "SpeakableText",
    "TextOptions",
    "Turn",
    "group_sentences",
    "make_speakable",
    "read_script",
    "read_turns",
    "split_phrases",
    "split_sentences",
]
