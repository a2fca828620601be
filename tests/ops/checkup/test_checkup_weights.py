"""Weights, as the catalogue and the cache tell; skipped in a build without a catalogue."""

from pathlib import Path
from typing import Any

import pytest

from ttsops.ops.checkup.weights import check_weights
from ttsops.settings import Settings, load_settings

pytestmark = pytest.mark.unit

catalogue: Any = pytest.importorskip("ttsops.models.catalogue")
cache: Any = pytest.importorskip("ttsops.models.cache")

ENGINE = "vibevoice-realtime"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An engine that needs weights, and an empty cache."""
    path = tmp_path / "ttsops.toml"
    path.write_text(f"engine = '{ENGINE}'\n[hub]\ncache = '{tmp_path / 'cache'}'\n")
    return load_settings(path, {})


def snapshot(settings: Settings) -> tuple[Any, Path]:
    """The catalogue's entry, and where its files belong."""
    entry = next(one for one in catalogue.catalogue(settings) if one.engine == ENGINE)
    folder: Path = cache.HubCache(cache.cache_folder(settings)).snapshot_folder(entry.sources[0])
    return entry, folder


def test_weights_that_are_not_here_are_named_with_how_to_get_them(settings: Settings) -> None:
    (check,) = check_weights(settings)
    assert check.word == "unknown"
    assert snapshot(settings)[0].name in check.told
    assert "ttsops models pull" in check.hint


def test_a_file_that_is_missing_is_bad_and_named(settings: Settings) -> None:
    entry, folder = snapshot(settings)
    folder.mkdir(parents=True)
    for file in entry.files[1:]:
        (folder / file.path).write_bytes(b"x")
    (check,) = check_weights(settings)
    assert (check.word, check.facts["missing"]) == ("bad", [entry.files[0].path])
    (folder / entry.files[0].path).write_bytes(b"x")
    (check,) = check_weights(settings)
    assert check.word == "ok"


def test_an_engine_without_weights_is_not_asked_for_any() -> None:
    assert list(check_weights(Settings())) == []
