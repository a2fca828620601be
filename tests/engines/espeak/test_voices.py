import pytest

from ttsops.engines.espeak import library
from ttsops.engines.espeak.card import CARD
from ttsops.engines.espeak.voices import VoiceBook
from ttsops.errors import InvalidValue, UnknownVoice
from ttsops.voices import OPENAI_VOICES

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def book() -> VoiceBook:
    loaded = library.load()
    return VoiceBook(loaded.voices(), loaded.variants())


def test_every_language_and_variant_of_the_library_is_there(book: VoiceBook) -> None:
    ids = [voice.id for voice in book.voices()]
    assert len(ids) == len(set(ids)) >= 138
    assert {"en-us", "en-gb", "de", "cmn", "yue", "yue-latn-jyutping", "pt-br"} <= set(ids)
    assert len(book.variants) >= 100
    assert {"klatt4", "f3", "m1", "whisper"} <= set(book.variants)
    assert {"en-US", "de", "fa-Latn", "es-419"} <= set(book.languages)


def test_openais_names_mean_thirteen_different_voices_that_are_listed(book: VoiceBook) -> None:
    listed = {voice.id: voice for voice in book.voices()}
    assert set(CARD.aliases) == {one.name for one in OPENAI_VOICES}
    assert len(set(CARD.aliases.values())) == 13
    for one in OPENAI_VOICES:
        voice = listed[CARD.aliases[one.name]]
        assert one.gender in ("neutral", voice.gender)
        assert voice.language in ("en-US", "en-GB")
    assert CARD.default_voice in listed


@pytest.mark.parametrize(
    ("voice", "language", "found"),
    [
        ("", "", "gmw/en-US+klatt4"),
        ("de", "", "gmw/de"),
        ("de+f3", "", "gmw/de+f3"),
        ("en-us", "en", "gmw/en-US"),
        ("en-us", "en-US", "gmw/en-US"),
        ("en-us+f3", "en-GB", "gmw/en+f3"),
        ("en-us+f3", "en-AU", "gmw/en-US+f3"),
        ("en-us+f3", "de-CH", "gmw/de+f3"),
        ("", "fr", "roa/fr+klatt4"),
        ("de", "en-AU", "gmw/en"),
        ("de", "zh-CN", "sit/cmn"),
        ("de", "pt", "roa/pt"),
        ("pt-br", "pt", "roa/pt-BR"),
    ],
)
def test_a_voice_is_found_and_follows_the_language(
    book: VoiceBook, voice: str, language: str, found: str
) -> None:
    assert book.find(voice, language) == found


@pytest.mark.parametrize(
    "voice", ["xx", "en-us+", "en-us+zz", "../en-us", "gmw/en-US", "en-us+../f3", "+f3", "EN-US"]
)
def test_what_is_not_listed_is_not_a_voice(book: VoiceBook, voice: str) -> None:
    with pytest.raises(UnknownVoice):
        book.find(voice)


def test_a_language_nobody_speaks_is_refused(book: VoiceBook) -> None:
    with pytest.raises(InvalidValue, match="tlh") as e:
        book.find("en-us", "tlh")
    assert e.value.param == "language"
