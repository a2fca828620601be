"""The tables of docs/audio.md say what the code does."""

from pathlib import Path

import pytest

from ttsops.audio import BIT_RATES, CONTENT_TYPES, Format

pytestmark = pytest.mark.unit

DOCS = (Path(__file__).parents[2] / "docs" / "audio.md").read_text()


@pytest.mark.parametrize("fmt", Format)
def test_every_format_is_documented_with_its_content_type(fmt: Format) -> None:
    (row,) = [line for line in DOCS.splitlines() if line.startswith(f"| `{fmt}`") and "audio/" in line]
    assert f"`{CONTENT_TYPES[fmt]}`" in row
    if fmt in BIT_RATES:
        rate = BIT_RATES[fmt]
        default, low, high = (value // 1000 for value in (rate.default, rate.minimum, rate.maximum))
        assert f"{default} kbit/s ({low} to {high})" in row
