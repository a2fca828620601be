"""Text cut into pieces at random, for hypothesis."""

from hypothesis import strategies as st

MARKS = " .,!?…\n\r\t:;-–—\"'()[]“”«»。！？，、*_#`~|<>&\\/=+$€%°0123456789"
WORDS = (
    "Hello there the The I and Dr. e.g. U.S. p.m. 3.50 10:30 1st 1/2 3-5 5 km $3 -5 "
    "https://example.com www. http "
    "http:// [link](url) ** __ ``` ~~~ - * 1. # > | --- &amp; <br> <b> <!-- --> "
    "![ ]( [1] 😀 👍🏽 👨‍👩‍👧 🇫🇷 1️⃣ ❤️ 你好。 "
    "Speaker 1: Speaker 12 :3 "
    "555-123-4567 2024-05-01 v1.2 1990s half\u00a0life\u00a0km \n\n \n"
)

texts = st.one_of(
    st.text(max_size=80),
    st.text(MARKS + "abcDEF é你", max_size=80),
    st.lists(st.sampled_from([*WORDS.split(" "), *MARKS, " ", " ", "\n"]), max_size=40).map("".join),
    st.lists(st.sampled_from([*WORDS.split(" "), *MARKS]), max_size=40).map(" ".join),
)
"""Anything at all, and things that look like markup, numbers and ends of sentences."""


@st.composite
def cut_texts(draw: st.DrawFn, texts: st.SearchStrategy[str] = texts) -> tuple[str, list[str]]:
    """A text, and the same text in pieces (some of them empty)."""
    text = draw(texts)
    if draw(st.booleans()):
        return text, list(text)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
