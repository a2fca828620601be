"""Lines of keys, against what `tomllib` reads from the same document."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.settings.toml_lines import key_lines

pytestmark = pytest.mark.unit

DOCUMENT = """\
# a comment with [brackets] and key = value
top = "a # no comment"   # a comment

[server] # why
port = 8001
cors_origins = [
  "http://a", # ] not the end
  'http://b=c',
]
[engines.tone]
options = { rtf = 0.5, "two words" = {deep = [1, {x = 2}]} }
engines."quo.ted".device = \"\"\"
device = "not a key"
\"\"\"\"\"
a . b = '''
x = 1'''
[[list]]
name = 1
[[list]]
name = 2
last = 1979-05-27 07:32:00"""


def paths_of(value: Any, prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if isinstance(value, list):
        return set().union(*(paths_of(item, prefix) for item in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, item in value.items():
        found |= {(*prefix, key)} | paths_of(item, (*prefix, key))
    return found


def test_every_key_is_found_on_its_line() -> None:
    lines = key_lines(DOCUMENT)
    assert set(lines) == paths_of(tomllib.loads(DOCUMENT))
    assert lines["top",] == 2
    assert lines["server",] == 4
    assert lines["server", "cors_origins"] == 6
    assert lines["engines", "tone", "options", "two words", "deep", "x"] == 11
    assert lines["engines", "tone", "engines", "quo.ted", "device"] == 12
    assert lines["engines", "tone", "a", "b"] == 15
    assert lines["list", "name"] == 18
    assert lines["list", "last"] == 21


def test_windows_line_ends_count_once() -> None:
    assert key_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


KEYS = st.text(alphabet=st.sampled_from("ab-_1 .\"'\\#=[]é\n"), min_size=1, max_size=6)
SCALARS = st.integers(-5, 5) | st.booleans() | st.text(alphabet="ab\"'\\#=[]{},\n é", max_size=12)


def quoted(text: str) -> str:
    """A basic string; JSON's escapes are TOML's."""
    import json

    return json.dumps(text)


def inline(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() if "'" not in value and "\n" not in value and "\\" in value:
            return f"'{value}'"
        case str():
            return quoted(value)
        case list():
            return "[ # a list ]\n" + " ,\n".join(inline(item) for item in value) + "\n]"
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {inline(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3)),
)
def test_any_document_gives_a_line_for_each_key(
    top: dict[str, Any], tables: dict[str, dict[str, Any]]
) -> None:
    lines = [f"{quoted(key)} = {inline(value)} # end" for key, value in top.items()]
    for name, table in tables.items():
        if name in top:
            continue
        lines += [f"[ {quoted(name)} ]", *(f"{quoted(key)}={inline(value)}" for key, value in table.items())]
    document = "\n".join(lines)
    found = key_lines(document)
    assert set(found) == paths_of(tomllib.loads(document))
    rows = document.split("\n")
    for path, line in found.items():
        assert quoted(path[-1]) in rows[line - 1]
