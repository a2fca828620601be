import pytest

from ttsops.audio.formats import BIT_RATES, CONTENT_TYPES, SUFFIXES, Format, format_of_suffix, parse_format
from ttsops.errors import UnsupportedFormat

pytestmark = pytest.mark.unit


def test_formats_are_those_of_the_openai_api() -> None:
    assert set(Format) == {"mp3", "opus", "aac", "flac", "wav", "pcm"}


def test_every_format_has_a_content_type_and_a_suffix() -> None:
    assert set(CONTENT_TYPES) == set(SUFFIXES) == set(Format)
    assert CONTENT_TYPES[Format.MP3] == "audio/mpeg"
    assert len(set(CONTENT_TYPES.values())) == len(Format)


def test_default_bit_rates_are_allowed() -> None:
    for rate in BIT_RATES.values():
        assert rate.minimum <= rate.default <= rate.maximum


def test_unknown_format_lists_the_known_ones() -> None:
    assert parse_format("flac") is Format.FLAC
    with pytest.raises(UnsupportedFormat, match=r"`vorbis`.*mp3, opus, aac, flac, wav, pcm") as caught:
        parse_format("vorbis")
    assert caught.value.param == "response_format"


def test_a_suffix_names_its_format_in_any_case() -> None:
    for fmt, suffix in SUFFIXES.items():
        assert format_of_suffix(suffix.upper()) is fmt
    assert format_of_suffix(".ogg") is Format.OPUS
    with pytest.raises(UnsupportedFormat, match=r"`\.txt`"):
        format_of_suffix(".txt")
