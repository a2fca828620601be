"""Which folder of recorded voices an engine gets, and the server changes."""

from pathlib import Path

import pytest

from ttsops.engines import registry
from ttsops.runtime.references import library_folder, with_library
from ttsops.settings import EngineSettings, Settings, VoiceSettings

pytestmark = pytest.mark.unit


def test_the_folder_of_the_settings_is_the_library_whoever_is_served() -> None:
    assert library_folder(Settings(voices=VoiceSettings(folder="mine"))) == Path("mine")
    assert library_folder(Settings()) is None


def test_an_engine_that_does_not_speak_from_recordings_gets_no_folder() -> None:
    """`vibevoice-realtime` has an option of that name, for something else."""
    settings = Settings(
        engine="vibevoice-realtime",
        engines={"vibevoice-realtime": EngineSettings(options={"voices": "tensors"})},
        voices=VoiceSettings(folder="mine"),
    )
    assert with_library(settings, "vibevoice-realtime").options == {"voices": "tensors"}
    assert with_library(settings, "espeak").options == {}
    assert library_folder(settings) == Path("mine")


@pytest.mark.skipif("f5" not in registry.names(), reason="no engine here speaks from recordings")
def test_an_engine_that_speaks_from_recordings_gets_the_folder_unless_it_has_its_own() -> None:
    settings = Settings(engine="f5", voices=VoiceSettings(folder="mine"))
    assert with_library(settings, "f5").options == {"voices": "mine"}
    assert library_folder(settings) == Path("mine")
    own = Settings(
        engine="f5",
        engines={"f5": EngineSettings(options={"voices": "own"})},
        voices=VoiceSettings(folder="mine"),
    )
    assert with_library(own, "f5").options == {"voices": "own"}
    assert library_folder(own) == Path("own")
