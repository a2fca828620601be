import pytest
from hearing import encode_whole, hear, speechlike
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsops.audio import Format, Tags, create_encoder, synthetic_speech
from ttsops.audio.tags import id3, riff_info

pytestmark = pytest.mark.unit

SPEECH = speechlike(2000)
TAGGED = (Format.MP3, Format.OPUS, Format.FLAC, Format.WAV)
texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=300)


@pytest.mark.parametrize("fmt", TAGGED)
def test_speech_says_that_it_is_synthetic(fmt: Format) -> None:
    heard = hear(encode_whole(create_encoder(fmt, tags=synthetic_speech("espeak")), SPEECH), fmt)
    assert heard.tags["comment"] == "Synthetic speech by tts-ops (engine espeak)"
    assert heard.tags["encoder"] == "tts-ops"


@pytest.mark.parametrize("fmt", TAGGED)
@given(title=texts, comment=texts)
@settings(max_examples=20, deadline=None)
def test_tags_are_read_back_as_they_were_given(fmt: Format, title: str, comment: str) -> None:
    heard = hear(encode_whole(create_encoder(fmt, tags=Tags(title=title, comment=comment)), SPEECH), fmt)
    assert heard.tags["title"] == title
    assert heard.tags["comment"] == comment
    assert "artist" not in heard.tags


@pytest.mark.parametrize("fmt", Format)
def test_tags_do_not_touch_the_samples(fmt: Format) -> None:
    plain = hear(encode_whole(create_encoder(fmt), SPEECH), fmt)
    tagged = hear(encode_whole(create_encoder(fmt, tags=Tags(artist="x" * 999)), SPEECH), fmt)
    assert plain.samples.tobytes() == tagged.samples.tobytes()


@pytest.mark.parametrize("fmt", [Format.AAC, Format.PCM])
def test_formats_without_a_place_for_tags_leave_them_out(fmt: Format) -> None:
    plain = encode_whole(create_encoder(fmt), SPEECH)
    assert encode_whole(create_encoder(fmt, tags=synthetic_speech("espeak")), SPEECH) == plain


def test_no_tags_are_no_bytes() -> None:
    assert id3(Tags()) == riff_info(Tags()) == b""


def test_nul_cannot_end_a_tag_early() -> None:
    heard = hear(encode_whole(create_encoder(Format.MP3, tags=Tags(title="a\0b")), SPEECH), Format.MP3)
    assert heard.tags["title"] == "ab"
