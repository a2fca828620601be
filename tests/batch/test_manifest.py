"""What a manifest may say, and what is refused with its line."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from ttsops.batch.manifest import MAX_LINE_BYTES, MAX_TEXT_CHARS, Line, Manifest
from ttsops.batch.order import Defaults, order_of
from ttsops.errors import InvalidValue

pytestmark = pytest.mark.unit


def lines_of(tmp_path: Path, content: str | bytes) -> list[tuple[int, Line]]:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with closing(Manifest(path)) as manifest:
        return list(manifest.lines())


def refusal_of(tmp_path: Path, content: str | bytes) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        lines_of(tmp_path, content)
    return caught.value


def test_lines_have_their_number_as_id_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    found = lines_of(tmp_path, b'\xef\xbb\xbf{"text": "One."}\r\n\n  \n{"text": "Four.", "id": "four"}')
    assert [(number, line.id, line.text) for number, line in found] == [
        (1, "1", "One."),
        (4, "four", "Four."),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"text": "x", "voise": "nova"}', "unknown field `voise`"),
        ('{"id": "x"}', "missing required field `text`"),
        ('{"text": 3}', "Expected `str`, got `int`"),
        ('{"text": "x", "format": "mp4"}', "Invalid enum value 'mp4'"),
        ('{"text": "x", "seed": 1.5}', "Expected `int | null`"),
        ("not json", "malformed"),
        (b'{"text": "\xff"}', "utf-8"),
        ('["text"]', "Expected `object`, got `array`"),
        (json.dumps({"text": "x" * (MAX_TEXT_CHARS + 1)}), f"at most {MAX_TEXT_CHARS}"),
        (json.dumps({"text": "x" * 2 * MAX_LINE_BYTES}), f"longer than {MAX_LINE_BYTES} bytes"),
        *(
            (json.dumps({"text": "x", "id": bad}), "no safe file name")
            for bad in ("../x", "a/b", "/etc/passwd", ".hidden", "..", "a\0b", "a\nb", "x" * 101, "é", "-rf")
        ),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path, line: str | bytes, told: str) -> None:
    data = line if isinstance(line, bytes) else line.encode()
    refusal = refusal_of(tmp_path, b'{"text": "fine"}\n' + data + b'\n{"text": "fine"}\n')
    assert "line 2: " in refusal.message
    assert told in refusal.message
    assert "line 1" not in refusal.message
    assert "line 3" not in refusal.message
    assert "id, engine, voice" in str(refusal.hint)


@pytest.mark.parametrize("second", ["One", "one"])
def test_an_id_is_there_once_on_any_file_system(tmp_path: Path, second: str) -> None:
    refusal = refusal_of(tmp_path, f'{{"text": "x", "id": "one"}}\n{{"text": "x", "id": "{second}"}}\n')
    assert f"line 2: the id `{second}` is there already" in refusal.message


def test_a_number_as_id_collides_with_a_line_without_one(tmp_path: Path) -> None:
    assert "line 2" in refusal_of(tmp_path, '{"text": "x", "id": "2"}\n{"text": "x"}\n').message


def test_the_first_ten_wrong_lines_are_told_at_once(tmp_path: Path) -> None:
    message = refusal_of(tmp_path, '{"txt": "x"}\n' * 30).message
    assert message.count("unknown field") == 10


def test_a_manifest_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="No such file"):
        Manifest(tmp_path / "none.jsonl")
    with pytest.raises(InvalidValue, match="Is a directory"):
        Manifest(tmp_path)


def test_a_line_overrides_the_defaults(tmp_path: Path) -> None:
    defaults = Defaults(engine="tone", voice="low", speed=2.0, seed=5, options={"frequency": 100})
    plain = order_of(1, Line(text="x", id="1"), defaults)
    assert (plain.engine, plain.request.voice, plain.request.speed, plain.request.seed) == (
        "tone",
        "low",
        2.0,
        5,
    )
    assert plain.request.options == {"frequency": 100}
    own = order_of(1, Line(text="x", id="1", voice="high", speed=1.0, seed=0, options={}), defaults)
    assert (own.request.voice, own.request.speed, own.request.seed) == ("high", 1.0, 0)
    assert own.request.options == {}
    other = order_of(1, Line(text="x", id="1", engine="espeak"), defaults)
    assert (other.engine, other.request.voice, other.request.options) == ("espeak", "", {})
    assert len({plain.digest, own.digest, other.digest}) == 3
