import re
from dataclasses import replace
from pathlib import Path

import pytest

from ttsops.text import TextOptions, make_speakable

pytestmark = pytest.mark.unit

DOCS = (Path(__file__).parents[2] / "docs" / "text.md").read_text(encoding="utf-8")
CODE = re.compile(r"(`+)(.+?)\1(?!`)")


def plain(code: str) -> str:
    return code.replace("\\n", "\n").replace("\\|", "|")


def examples() -> list[tuple[str, str, str]]:
    """Option, what is written and what is said, from every table row with two code cells."""
    found, option = [], ""
    for line in DOCS.splitlines():
        if heading := re.match(r"## .*option `(\w+)`", line):
            option = heading[1]
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        codes = [code[2] for cell in cells if (code := CODE.fullmatch(cell.strip()))]
        if len(codes) == 2:
            found.append((option, plain(codes[0]), plain(codes[1])))
    return found


def test_every_row_is_an_example() -> None:
    rows = [line for line in DOCS.splitlines() if line.startswith("| `")]
    assert len(examples()) == len(rows) > 30
    assert {option for option, _, _ in examples()} == {"markdown", "emoji", "numbers"}


@pytest.mark.parametrize(("option", "written", "said"), examples())
def test_examples_in_the_docs_are_true(option: str, written: str, said: str) -> None:
    alone = replace(TextOptions(markdown=False, emoji=False, numbers=False), **{option: True})
    assert make_speakable(written, "en-US", alone) == said
    others = replace(TextOptions(), **{option: False})
    if written != said:
        assert make_speakable(written, "en-US", others) != said, "switched off, the rule says the same"


def test_the_code_in_the_docs_is_true() -> None:
    calls = re.findall(r"^(make_speakable\(.*\))\n# (.*)$", DOCS, re.MULTILINE)
    assert len(calls) == 2
    for call, said in calls:
        assert eval(call, {"make_speakable": make_speakable, "TextOptions": TextOptions}) == said


def test_every_option_is_documented() -> None:
    for name in TextOptions.__dataclass_fields__:
        assert f"`{name}`" in DOCS
