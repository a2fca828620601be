"""A model by name: which folders an engine is given, and what it says when they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.conftest import COMMIT, sharded_files, write_model
from runtime.conftest import running
from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.models.catalogue import published
from ttsops.runtime.weights import with_weights
from ttsops.settings import EngineSettings, HubSettings, ModelSettings, Settings

pytestmark = pytest.mark.unit

REALTIME = "vibevoice-realtime"


def settings_of(cache: Path, engine: str, **options: str | bool) -> Settings:
    return Settings(
        engine=engine,
        engines={engine: EngineSettings(options=dict(options))},
        hub=HubSettings(cache=str(cache)),
    )


def options_of(settings: Settings) -> dict[str, object]:
    name = settings.engine
    return dict(with_weights(settings, name, settings.engine_settings(name)).options)


def put(cache: Path, name: str) -> Path:
    """Files of the right names; what they hold is nobody's weights."""
    entry = published().find(name)
    files = {file.path: b"{}" for file in entry.files}
    return write_model(cache, files, repo=entry.repo, commit=entry.revision)


def test_an_engine_is_given_its_model_and_the_parts_it_needs(tmp_path: Path) -> None:
    model, tokenizer = put(tmp_path, "realtime"), put(tmp_path, "qwen2.5-0.5b")
    options = options_of(settings_of(tmp_path, REALTIME, model="realtime"))
    assert options == {"model": str(model), "tokenizer": str(tokenizer)}


def test_the_folder_inside_a_repository_is_given(tmp_path: Path) -> None:
    model, vocos = put(tmp_path, "f5"), put(tmp_path, "vocos")
    options = options_of(settings_of(tmp_path, "f5", model="F5"))
    assert options == {"model": str(model / "F5TTS_v1_Base"), "vocoder": str(vocos)}


def test_an_option_that_is_set_stays(tmp_path: Path) -> None:
    model = put(tmp_path, "realtime")
    options = options_of(settings_of(tmp_path, REALTIME, model="realtime", tokenizer="mine"))
    assert options == {"model": str(model), "tokenizer": "mine"}


def test_a_folder_of_that_name_goes_before_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("realtime").mkdir()
    assert options_of(settings_of(tmp_path, REALTIME, model="realtime")) == {"model": "realtime"}


@pytest.mark.parametrize(
    "options", [{}, {"model": ""}, {"model": "/srv/weights"}, {"random_weights": "small"}]
)
def test_what_is_no_name_is_left_alone(tmp_path: Path, options: dict[str, str]) -> None:
    assert options_of(settings_of(tmp_path, REALTIME, **options)) == options
    assert options_of(settings_of(tmp_path, "espeak")) == {}


def test_a_model_of_the_settings_is_found_by_its_name(tmp_path: Path) -> None:
    write_model(tmp_path, sharded_files(), repo="me/mine")
    vocos = put(tmp_path, "vocos")
    settings = Settings(
        engine="f5",
        engines={"f5": EngineSettings(options={"model": "mine"})},
        hub=HubSettings(cache=str(tmp_path)),
        models={"mine": ModelSettings(repo="me/mine", like="f5")},
    )
    options = options_of(settings)
    assert options["model"] == str(tmp_path / "models--me--mine" / "snapshots" / COMMIT)
    assert options["vocoder"] == str(vocos)


def test_a_wrong_entry_is_told(tmp_path: Path) -> None:
    settings = Settings(
        engine="f5",
        engines={"f5": EngineSettings(options={"model": "mine"})},
        models={"mine": ModelSettings()},
    )
    with pytest.raises(ConfigError, match=r"models\.mine"):
        options_of(settings)


async def test_an_engine_whose_model_was_not_fetched_says_which_command_fetches_it(tmp_path: Path) -> None:
    """And does not fetch it."""
    with pytest.raises(EngineUnavailable, match="there is no model at") as caught:
        async with running(settings_of(tmp_path, REALTIME, model="realtime"), in_process=True):
            pass
    assert "`ttsops models pull microsoft/VibeVoice-Realtime-0.5B`" in (caught.value.hint or "")
    assert not os.listdir(tmp_path)  # noqa: PTH208 - a look at an empty folder
