"""The control surface: what is heard is in its hash, what is not heard is not, and nothing of the text."""

from dataclasses import replace

import msgspec
import pytest

from ttsops.engines import registry
from ttsops.errors import ConfigError, UnknownOption
from ttsops.runtime.control import (
    ControlSurface,
    control_hash,
    control_surface,
    differences,
    unaccounted,
)
from ttsops.settings import EngineSettings
from ttsops.speech import OptionValue, SpeechRequest, Voice
from ttsops.text import TextOptions

pytestmark = pytest.mark.unit

TONE = registry.card("tone")
F5 = registry.card("f5")
REQUEST = SpeechRequest("Good morning.", voice="middle")
VOICES = (Voice("en-us", "American", "en-US"), Voice("de", "Deutsch", "de"))


def surface(request: SpeechRequest = REQUEST, **setup: OptionValue) -> ControlSurface:
    return control_surface(request, TONE, EngineSettings(options=setup))


def test_every_parameter_of_a_request_and_a_set_up_is_known_to_be_heard_or_not() -> None:
    assert unaccounted() == ()


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, voice="low"),
        replace(REQUEST, language="de"),
        replace(REQUEST, speed=1.01),
        replace(REQUEST, pitch=1.01),
        replace(REQUEST, seed=0),
        replace(REQUEST, options={"frequency": 440}),
    ],
)
def test_a_parameter_that_is_heard_changes_the_hash(changed: SpeechRequest) -> None:
    assert control_hash(surface(changed)) != control_hash(surface())


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, text="Another text."),
        replace(REQUEST, is_text_complete=False),
        replace(REQUEST, options={"frequency": 0}),
        replace(REQUEST, speed=1),
    ],
)
def test_text_and_defaults_said_aloud_do_not_change_the_hash(changed: SpeechRequest) -> None:
    assert control_hash(surface(changed)) == control_hash(surface())


def test_set_up_counts_where_it_is_heard() -> None:
    same = control_hash(surface())
    assert control_hash(surface(seconds_per_char=0.07)) != same
    assert control_hash(surface(rtf=0.5, load_seconds=1.0)) == same
    assert control_hash(surface(seconds_per_char=0.06)) == same
    on_gpu = control_surface(REQUEST, TONE, EngineSettings(device="cuda:0", max_streams=3))
    assert control_hash(on_gpu) == same
    assert control_hash(control_surface(REQUEST, TONE, EngineSettings(dtype="int8"))) != same


def test_weights_reference_and_text_rules_count() -> None:
    def of(**more: object) -> str:
        return control_hash(control_surface(REQUEST, F5, EngineSettings(), **more))  # type: ignore[arg-type]

    hashes = {
        of(),
        of(weights={"model": "1"}),
        of(weights={"model": "2"}),
        of(reference="1"),
        of(text_options=TextOptions()),
        of(text_options=TextOptions(numbers=False)),
    }
    assert len(hashes) == 6
    assert of(text_options=TextOptions()) == of(text_options=TextOptions())


def test_the_language_is_the_voices_unless_another_is_asked_for() -> None:
    def language(request: SpeechRequest) -> str:
        return control_surface(request, TONE, EngineSettings(), voices=VOICES).language

    assert language(SpeechRequest("", voice="en-us+f3")) == "en-US"
    assert language(SpeechRequest("", voice="en-us", language="de")) == "de"
    assert language(SpeechRequest("", voice="nobody")) == ""


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(UnknownOption, match="nfe"):
        surface(replace(REQUEST, options={"nfe": 7}))
    with pytest.raises(ConfigError, match="tempo"):
        surface(tempo=3)
    with pytest.raises(msgspec.ValidationError, match="unknown field `breath`"):
        msgspec.convert({**msgspec.to_builtins(surface()), "breath": 1}, ControlSurface)


def test_the_hash_is_frozen() -> None:
    """If this changes, every recorded hash means something else: raise `SCHEMA`."""
    fixed = ControlSurface(
        engine="e",
        sample_rate=24_000,
        dtype="auto",
        weights={"model": "w"},
        setup={"b": 1.0, "a": True},
        voice="v",
        reference="r",
        language="en",
        speed=1.0,
        pitch=1.0,
        seed="none",
        options={"nfe": 7},
        text={"rules": 1},
    )
    assert control_hash(fixed) == "1-06d8cd1b3d3877ba"


def test_differences_name_each_parameter_and_both_values() -> None:
    before = {"speed": 1.0, "options": {"nfe": 7, "sway": -1.0}, "setup": {}}
    now = {"speed": 1.0, "options": {"nfe": 16}, "setup": {"fast": True}}
    assert differences(before, now) == [
        "options.nfe: 7, now 16",
        "options.sway: -1.0, now not there",
        "setup.fast: not there, now true",
    ]
    assert differences(before, before) == []
