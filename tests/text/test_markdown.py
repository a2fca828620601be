import pytest

from ttsops.text import TextOptions, make_speakable

pytestmark = pytest.mark.unit

ONLY = TextOptions(emoji=False, numbers=False)

INLINE = [
    # emphasis
    ("**bold** and __bold__ and ***both***", "bold and bold and both"),
    ("*it* and _it_, (*so*), “_so_”", "it and it, (so), “so”"),
    ("**He said *no* twice.** Then", "He said no twice. Then"),
    ("~~old~~ new, ~5 and ~ 5", "old new, ~5 and ~ 5"),
    ("**open, never closed", "open, never closed"),
    ("in**side**word and 这是**重点**内容 和*斜体*字", "insideword and 这是重点内容 和斜体字"),
    ("2 * 3, 2*3, 2**3, a * b, f*ck", "2 * 3, 2*3, 2**3, a * b, f*ck"),
    ("snake_case and my_long_name", "snake_case and my_long_name"),
    ("price* applies", "price applies"),
    # code
    ("run `make test` now", "run make test now"),
    ("the `my_function` and `__init__`", "the my function and init"),
    ("``a ` b`` and `**kept**`", "a ` b and **kept**"),
    ("a ` alone", "a  alone"),
    ("``` inline ``` too", "inline too"),
    # links
    ("[text](https://e.com)", "text"),
    ('[text](https://e.com "A title") and [t](<u>)', "text and t"),
    ("[**bold** text](u) [a [b] c](u)", "bold text a [b] c"),
    ("[text](https://en.wikipedia.org/wiki/A_(b))", "text"),
    ("[text][ref] and ![alt text](i.png)!", "text and alt text!"),
    ("[![badge](b.svg)](https://e.com) x", "badge x"),
    ("[https://e.com/x](https://e.com/x)", "e.com"),
    ("[sic], [not a link] (so), array[i], x[1]", "[sic], [not a link] (so), array[i], x[1]"),
    ("claim[1], other [2]. third[3][4] see [5] on", "claim, other. third see [5] on"),
    ("claim [1](https://e.com).", "claim ."),
    ("note[^1] and[^note].", "note and."),
    # addresses
    ("see https://www.example.com/a/b?c=d#e.", "see example.com."),
    ("(http://example.com), <https://example.com/x>", "(example.com), example.com"),
    ("www.example.com/x or HTTPS://E.com", "example.com or E.com"),
    ("https://user@e.com:8080/ and http://localhost:8001/v1", "e.com and localhost"),
    ("**https://e.com/x_y_z** ok", "e.com ok"),
    ("https://en.wikipedia.org/wiki/A_(b)!", "en.wikipedia.org!"),
    ("请看https://e.com/x。好", "请看https://e.com/x。好"),
    ("<mailto:ann@e.com> or ann@e.com", "ann@e.com or ann@e.com"),
    ("http and https:// and www. and what", "http and https:// and www. and what"),
    # HTML
    ("a <b>b</b> <i class='x'>c</i> <a href=\"u\">d</a>", "a b c d"),
    ("one<br>two<br/>three", "one\ntwo\nthree"),
    ("x<!-- a\ncomment -->y", "xy"),
    ("a < b > c, x<y and z>w, <3, <foo>", "a < b > c, x<y and z>w, <3, <foo>"),
    ("&amp; &lt; &quot;&nbsp;&#39; &eacute;", "& < \" ' é"),
    ("AT&T; R&D &unknown; & so", "AT&T; R&D &unknown; & so"),
    # escapes
    (r"\*not\* \_it\_ \# 1\. \\", r"*not* _it_ # 1. " + "\\"),
    (r"C:\dir and a\b", r"C:\dir and a\b"),
]

BLOCKS = [
    ("# Title\nText", "Title.\nText"),
    ("## Title ##\n\nText", "Title.\n\nText"),
    ("### Why?\nText", "Why?\nText"),
    ("# **Bold** _title_  \nText", "Bold title.\nText"),
    ("# Only", "Only."),
    ("#hashtag and #1", "#hashtag and #1"),
    ("I like C #\nText", "I like C #\nText"),
    ("Title\n=====\nText", "Title.\n\nText"),
    ("Title\n---\nText", "Title.\n\nText"),
    ("above\n\n***\n\nbelow", "above\n\n\n\nbelow"),
    ("- - -\n* * *\n___\n", "\n\n\n"),
    ("- one\n- two!\n- three", "one.\ntwo!\nthree."),
    ("* one\n+ two\n• three\n", "one.\ntwo.\nthree.\n"),
    ("- one\n  goes on\n- two", "one\ngoes on.\ntwo."),
    ("- one\n  - nested\n    - deeper\n- two", "one.\nnested.\ndeeper.\ntwo."),
    ("- one\n\nText", "one.\n\nText"),
    ("- one\nText", "one.\nText"),
    ("1. one\n2. two\n3) three", "1: one.\n2: two.\n3: three."),
    ("**Needed**\n- salt", "Needed.\nsalt."),
    ("It was\n1999. It rained", "It was\n1999. It rained"),
    ("It was in\n12. No", "It was in\n12. No"),
    ("-5 degrees\n+1 from me\n*it* is", "-5 degrees\n+1 from me\nit is"),
    ("- [ ] a\n- [x] b\n- [X] c", "to do: a.\ndone: b.\ndone: c."),
    ("> quoted\n> more\n\nText", "quoted\nmore\n\nText"),
    (">> deep\n> - item", "deep.\nitem."),
    (">5 is not\n\n> 5 is not", ">5 is not\n\n> 5 is not"),
    ("| a | b |\n|---|:-:|\n| 1 | **2** |\n", "a, b.\n1, 2.\n"),
    ("|a||c|\n| | x |\n|  |\n", "a, c.\nx.\n\n"),
    ("a \\| b\n| `x|y` | z |", "a | b.\nx|y, z."),
    ("Text:\n```python\nx = 1\n# no title\n```\nMore", "Text:\nCode block.\nMore"),
    ("~~~\n```\n~~~\nMore", "Code block.\nMore"),
    ("````\n```\n````\nMore", "Code block.\nMore"),
    ("- run\n  ```\n  x\n  ```\n- stop", "run.\nCode block.\nstop."),
    ("> ```\n> x\n> ```\n> more", "Code block.\nmore"),
    ("```\nnever closed\n**x**", "Code block."),
    ("[ref]: https://e.com 'T'\nText", "Text"),
    ("[^1]: A note.", "A note."),
    ("[Note]: this stays", "[Note]: this stays"),
    ("one\r\n\r\n# two\r\n- three\r\n", "one\r\n\r\ntwo.\nthree.\r\n"),
    ("a line\nwrapped by hand\n\nnew paragraph\n", "a line\nwrapped by hand\n\nnew paragraph\n"),
]


@pytest.mark.parametrize(("written", "said"), INLINE)
def test_markup_in_a_line_is_made_speakable(written: str, said: str) -> None:
    assert make_speakable(written, "en", ONLY) == said


@pytest.mark.parametrize(("written", "said"), BLOCKS)
def test_blocks_are_made_speakable(written: str, said: str) -> None:
    assert make_speakable(written, "en", ONLY) == said


@pytest.mark.parametrize(
    ("language", "words", "said"),
    [
        ("en-GB", None, "a:\nCode block.\nb"),
        ("de", None, "a:\n\nb"),
        ("", None, "a:\n\nb"),
        ("en", "", "a:\n\nb"),
        ("de", "Ein Programm.", "a:\nEin Programm.\nb"),
    ],
)
def test_what_stands_for_code_can_be_chosen(language: str, words: str | None, said: str) -> None:
    options = TextOptions(code_block=words)
    assert make_speakable("a:\n```\ncode\n```\nb", language, options) == said


def test_markdown_can_be_switched_off() -> None:
    text = "# **x** [a](b)\n- c\n"
    assert make_speakable(text, "en", TextOptions(markdown=False)) == text
