"""A header is read with bounds: whatever the bytes are, it is a header or a sentence, never a crash."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.conftest import tensors
from ttsops.errors import ModelError
from ttsops.models.safetensors import count_parameters, read_header

pytestmark = pytest.mark.unit


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def read(tmp_path: Path, content: bytes) -> Any:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    return read_header(path)


def test_what_the_library_wrote_is_read(tmp_path: Path) -> None:
    header = read(tmp_path, tensors("a", "b"))
    assert {name: t.shape for name, t in header.tensors.items()} == {"a": (64,), "b": (64,)}
    assert header.n_parameters == count_parameters(tmp_path) == 128
    assert header.n_data_bytes == 512


FOUR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cut short: 0 bytes"),
        (b"\xff" * 8, "claims"),
        ((10**6).to_bytes(8, "little") + b"{}", "the header alone has 1000000 bytes"),
        (file_of(b"nonsense"), "header is damaged"),
        (file_of(b"[]"), "header is damaged"),
        (file_of({"a": {"dtype": "F32"}}), "header is damaged"),
        (file_of({"a": FOUR | {"shape": [-1]}}, b"1234"), "header is damaged"),
        (file_of({"a": FOUR | {"data_offsets": [4, 0]}}, b"1234"), "tensor `a` is at 4 to 0"),
        (file_of({"a": FOUR | {"data_offsets": [4, 8]}}, b"12345678"), "tensor `a` is at 4 to 8, not at 0"),
        (file_of({"a": FOUR, "b": FOUR}, b"1234"), "tensor `b` is at 0 to 4, not at 4"),
        (file_of({"a": FOUR | {"shape": [2]}}, b"1234"), "tensor `a` has 4 bytes"),
        (file_of({"a": FOUR}, b"12"), "cut short"),
        (file_of({"a": FOUR}, b"123456"), "too long"),
        (file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "header is damaged"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        read(tmp_path, content)


@given(at=st.integers(0, 200), value=st.integers(0, 255), cut=st.integers(0, 700))
def test_a_damaged_file_never_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int
) -> None:
    content = bytearray(tensors("a", "b"))
    content[at] = value
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(content[:cut] if cut < 600 else content)
    with contextlib.suppress(ModelError):
        assert read_header(path).n_data_bytes == 512
