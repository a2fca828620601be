"""The version of the text rules says whether they are the same: it is in the hash of every utterance."""

import hashlib

import pytest

from ttsops.text import RULES_VERSION, make_speakable

pytestmark = pytest.mark.unit

CORPUS = (
    "On 3 May 2026, 1,204 people paid $7.50 each; 12% of them by 9:45 a.m.",
    "# Title\n\n* one **bold** item\n* [a link](https://example.org/a?b=1)\n\n```py\nx = 1\n```\nEnd.",
    "Dr. Smith ran 5 km in 19 min 😀👍 and drank 0.5 l at -3 °C.",
    "Call +1 555 0100 or see chapter IV, pp. 12-19, in the 1990s.",
    "| a | b |\n|---|---|\n| 1st | 22nd |",
)
KNOWN = {1: "fc7f0570fedc80c2"}


def test_a_change_of_what_is_said_needs_a_new_version() -> None:
    said = [make_speakable(text, language) for text in CORPUS for language in ("en", "de", "")]
    found = hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]
    assert KNOWN.get(RULES_VERSION) == found, (
        "texts are said in other words: raise RULES_VERSION, and add the new version here"
    )
