from dataclasses import dataclass, field

import pytest

from ttsops.errors import UnknownVoice
from ttsops.speech import Voice
from ttsops.voices import OPENAI_VOICES, resolve_voice

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Card:
    name: str = "choir"
    default_voice: str = "en-ann"
    aliases: dict[str, str] = field(default_factory=dict)
    voice_variants: tuple[str, ...] = ()


VOICES = (
    Voice("en-ann", "Ann", "en-GB", "female"),
    Voice("en-eve", "Eve", "en-GB", "female"),
    Voice("en-bob", "Bob", "en-GB", "male"),
    Voice("en-sam+deep", "Sam", "en-GB", "male"),
    Voice("de-uwe", "Uwe", "de-DE", "male"),
    Voice("Onyx", "Stone", "en-GB", "male"),
)


@pytest.mark.parametrize(
    ("requested", "found"),
    [
        ("", "en-ann"),
        ("en-bob", "en-bob"),
        ("EN-BOB", "en-bob"),
        ("bob", "en-bob"),
        ("Alto", "en-eve"),
        ("en-bob+f1", "en-bob+f1"),
        ("uwe+F1", "de-uwe+f1"),
        ("alto+f1", "en-eve+f1"),
        ("en-sam+deep", "en-sam+deep"),
        ("sam+f1", "en-sam+f1"),
        ("onyx", "Onyx"),
    ],
)
def test_a_name_finds_its_voice(requested: str, found: str) -> None:
    card = Card(aliases={"alto": "en-eve"}, voice_variants=("f1",))
    assert resolve_voice(requested, card, VOICES) == found


def test_an_exact_id_goes_before_an_alias() -> None:
    card = Card(aliases={"en-bob": "en-ann"})
    assert resolve_voice("en-bob", card, VOICES) == "en-bob"


@pytest.mark.parametrize(
    "requested", ["nobody", "../en-ann", "en-ann+f9", "en-ann+", "+f1", "+", "en-ann+f1+f1x"]
)
def test_an_unknown_voice_is_refused_with_a_hint(requested: str) -> None:
    with pytest.raises(UnknownVoice, match="engine `choir` has no voice") as e:
        resolve_voice(requested, Card(voice_variants=("f1",)), VOICES)
    assert e.value.param == "voice"
    assert "`en-ann`" in (e.value.hint or "")


def test_a_near_miss_is_guessed_and_a_long_list_is_cut() -> None:
    voices = [Voice(f"v{i:03}", f"V {i}") for i in range(100)]
    with pytest.raises(UnknownVoice) as e:
        resolve_voice("v01", Card(default_voice="v000"), voices)
    assert (e.value.hint or "").startswith("did you mean `v0")
    assert (e.value.hint or "").endswith("and 92 more")


def test_every_engine_answers_to_openais_names() -> None:
    found = {one.name: resolve_voice(one.name, Card(), VOICES) for one in OPENAI_VOICES}
    gender = {voice.id: voice.gender for voice in VOICES}
    for one in OPENAI_VOICES:
        assert one.gender == "neutral" or gender[found[one.name]] == one.gender
    assert set(found.values()) == {"en-ann", "en-eve", "en-bob", "en-sam+deep", "Onyx"}, (
        "spread, in one language"
    )
    assert found == {one.name: resolve_voice(one.name, Card(), VOICES) for one in OPENAI_VOICES}


def test_openais_names_are_spread_where_no_gender_is_known() -> None:
    voices = [Voice(f"v{i}", f"V{i}") for i in range(20)]
    card = Card(default_voice="v0")
    assert len({resolve_voice(one.name, card, voices) for one in OPENAI_VOICES}) == 13


def test_an_engine_without_voices_knows_no_names() -> None:
    with pytest.raises(UnknownVoice):
        resolve_voice("alloy", Card(), [])
