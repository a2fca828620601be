import math
from dataclasses import replace

import pytest

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.errors import EmptyText, InvalidValue, RequestError, TextTooLong, UnknownOption, UnknownVoice
from ttsops.runtime.checks import check_request
from ttsops.speech import OptionValue, SpeechRequest, Voice

pytestmark = pytest.mark.unit

VOICES = (Voice("anna", "Anna", "en-US"), Voice("bert", "Bert", "de"))
CARD = EngineCard(
    "demo",
    "",
    "MIT",
    24_000,
    default_voice="anna",
    max_text_chars=20,
    aliases={"alloy": "bert"},
    options=(
        OptionSpec("nfe", "int", "", 7, 5, 64),
        OptionSpec("scale", "float", "", 1.5, 0, 10),
        OptionSpec("solver", "str", "", "a", choices=("a", "b")),
        OptionSpec("trim", "bool", "", True),
    ),
)
HELLO = SpeechRequest("hello")


def test_a_good_request_comes_back_with_its_voice() -> None:
    checked = check_request(replace(HELLO, voice="alloy", options={"nfe": 5, "scale": 2}), CARD, VOICES)
    assert checked.voice == "bert"
    assert checked.options == {"nfe": 5, "scale": 2.0}


@pytest.mark.parametrize(
    ("change", "error", "param"),
    [
        ({"text": " \n"}, EmptyText, "text"),
        ({"text": "x" * 21}, TextTooLong, "text"),
        ({"speed": 4.1}, InvalidValue, "speed"),
        ({"speed": math.nan}, InvalidValue, "speed"),
        ({"pitch": 1.5}, InvalidValue, "pitch"),
        ({"seed": -1}, InvalidValue, "seed"),
        ({"voice": "nobody-at-all"}, UnknownVoice, "voice"),
        ({"language": "xx"}, InvalidValue, "language"),
        ({"options": {"nope": 1}}, UnknownOption, "options.nope"),
        ({"options": {"nfe": 4}}, InvalidValue, "options.nfe"),
        ({"options": {"nfe": True}}, InvalidValue, "options.nfe"),
        ({"options": {"nfe": "7"}}, InvalidValue, "options.nfe"),
        ({"options": {"scale": math.nan}}, InvalidValue, "options.scale"),
        ({"options": {"solver": "c"}}, InvalidValue, "options.solver"),
        ({"options": {"trim": 1}}, InvalidValue, "options.trim"),
    ],
)
def test_a_bad_request_is_refused_with_the_field_at_fault(
    change: dict[str, object], error: type[RequestError], param: str
) -> None:
    with pytest.raises(error) as refused:
        check_request(replace(HELLO, **change), CARD, VOICES)  # type: ignore[arg-type]
    assert refused.value.param == param
    assert str(refused.value)


def test_text_may_be_empty_when_more_is_to_come() -> None:
    assert check_request(SpeechRequest("", is_text_complete=False), CARD, VOICES).voice == "anna"


@pytest.mark.parametrize(("language", "voice"), [("en", "anna"), ("EN-us", "anna"), ("de", "bert")])
def test_a_language_alone_chooses_a_voice_that_speaks_it(language: str, voice: str) -> None:
    assert check_request(replace(HELLO, language=language), CARD, VOICES).voice == voice


@pytest.mark.parametrize("value", [5, 64])
def test_the_ends_of_a_range_are_accepted(value: OptionValue) -> None:
    assert check_request(replace(HELLO, options={"nfe": value}), CARD, VOICES).options["nfe"] == value
