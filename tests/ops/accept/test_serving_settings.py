"""The server of the gates has the operator's settings, and thresholds are those of engine and device."""

import tomllib
from pathlib import Path

import pytest

from ttsops.errors import EngineUnavailable
from ttsops.ops.accept.limits import device_of, limits_for
from ttsops.ops.accept.serving import as_toml, served, tiny
from ttsops.settings import AcceptOverrides, AcceptSettings, EngineSettings, Settings, load_settings

pytestmark = pytest.mark.server

SETTINGS = Settings(
    engine="tone",
    engines={"tone": EngineSettings(device="cuda:1", options={"rtf": 0.25, "is_realtime": True})},
    accept=AcceptSettings(
        max_rtf=0.5,
        engines={
            "tone": AcceptOverrides(max_rtf=0.7, min_rtf=0.001),
            "tone@cuda": AcceptOverrides(max_rtf=0.1),
            "f5": AcceptOverrides(max_wer=0.1),
        },
    ),
)


def test_settings_come_back_from_the_file_they_are_written_into(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(as_toml(SETTINGS))
    assert load_settings(tmp_path / "s.toml", {}) == SETTINGS
    odd = Settings(engine="espeak", engines={"tone": EngineSettings(options={"a": 'quote " and \\ and é'})})
    assert tomllib.loads(as_toml(odd))["engines"]["tone"]["options"] == {"a": 'quote " and \\ and é'}


def test_a_threshold_is_the_nearest_that_is_set() -> None:
    assert limits_for(SETTINGS, "tone").max_rtf == 0.1
    assert limits_for(SETTINGS, "tone").min_rtf == 0.001
    assert limits_for(SETTINGS, "espeak").max_rtf == 0.5
    assert limits_for(SETTINGS, "f5").max_wer == 0.1
    assert (device_of(SETTINGS, "tone"), device_of(SETTINGS, "espeak")) == ("cuda", "cpu")


def test_thresholds_can_be_set_in_the_environment() -> None:
    env = {"TTSOPS_ACCEPT__MAX_RTF": "0.3", "TTSOPS_ACCEPT__ENGINES__VIBEVOICE_REALTIME__MAX_RTF": "0.9"}
    settings = load_settings(None, env)
    assert limits_for(settings, "vibevoice-realtime").max_rtf == 0.9
    assert limits_for(settings, "espeak").max_rtf == 0.3


def test_the_server_has_one_engine_one_place_and_nobody_to_stand_in() -> None:
    small = tiny(SETTINGS)
    assert small.served_engines == ("tone",)
    assert small.engine_settings("tone").options == {"rtf": 0.25, "is_realtime": True}
    assert (small.engine_settings("tone").max_streams, small.runtime.max_queue) == (1, 1)
    assert (small.server.host, small.server.keys_file) == ("127.0.0.1", "")


def test_a_server_that_ends_says_why() -> None:
    broken = tiny(Settings(engine="tone", engines={"tone": EngineSettings(options={"fail_to_load": True})}))
    with pytest.raises(EngineUnavailable, match="set up to fail while loading"), served(broken):
        pass
