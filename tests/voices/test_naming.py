"""From what people call a voice to an id, and never to a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.errors import InvalidValue
from ttsops.voices.manifest import is_id
from ttsops.voices.naming import name_voice

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "language", "gender", "voice_id"),
    [
        ("en-Alice_woman", "", "", "en-Alice_woman"),
        ("en-Alice_woman", "en", "female", "en-Alice_woman"),
        ("Alice", "", "", "en-Alice_person"),
        ("Alice", "de", "woman", "de-Alice_woman"),
        ("My new voice", "en-us", "male", "en-US-MyNewVoice_man"),
        ("mei", "zh-Hans-CN", "woman", "zh-CN-Mei_woman"),
        ("Zoë O'Hara", "", "", "en-ZoeOHara_person"),
        ("../../etc", "", "", "en-Etc_person"),
    ],
)
def test_a_name_becomes_an_id(name: str, language: str, gender: str, voice_id: str) -> None:
    assert name_voice(name, language, gender).id == voice_id


def test_people_see_the_name_they_gave() -> None:
    assert name_voice("My new  voice").name == "My new voice"
    assert name_voice("en-Alice_woman").name == "Alice"


def test_names_without_a_latin_letter_get_ids_of_their_own() -> None:
    ids = {name_voice(name, "zh").id for name in ("小美", "小明", "小红")}
    assert len(ids) == 3
    assert all(is_id(one) for one in ids)


@pytest.mark.parametrize(
    ("name", "language", "gender", "param"),
    [
        ("", "", "", "name"),
        ("  ", "", "", "name"),
        ("Alice", "english!", "", "language"),
        ("Alice", "..", "", "language"),
        ("Alice", "en", "robot", "gender"),
        ("en-Alice_woman", "de", "", "name"),
        ("en-Alice_woman", "en", "man", "name"),
    ],
)
def test_what_does_not_name_a_voice_is_refused(name: str, language: str, gender: str, param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        name_voice(name, language, gender)
    assert caught.value.param == param


@given(st.text(max_size=80))
def test_whatever_it_is_called_the_id_is_one(name: str) -> None:
    if name.split():
        assert is_id(name_voice(name).id)
