"""The catalogue as data: names that are found, figures that agree, entries of the settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models.conftest import COMMIT, REPO, entry_of, sharded_files
from ttsops.errors import ConfigError, EngineUnavailable, UnknownModel
from ttsops.models.cache import HubCache, cache_folder, require
from ttsops.models.catalogue import Entry, Source, catalogue, published
from ttsops.models.manifest import Manifest, save_manifest
from ttsops.models.verify import verify
from ttsops.settings import HubSettings, ModelSettings, Settings, load_settings

pytestmark = pytest.mark.unit

BF16 = 2
MAX_HEADER = 1_000_000


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("realtime", "VibeVoice-Realtime-0.5B"),
        ("1.5B", "VibeVoice-1.5B"),
        ("1.5b", "VibeVoice-1.5B"),
        ("7B", "VibeVoice-Large"),
        ("WestZhang/VibeVoice-Large-pt", "VibeVoice-Large"),
        ("f5", "F5TTS_v1_Base"),
        ("vocos", "vocos-mel-24khz"),
        ("Qwen/Qwen2.5-0.5B", "Qwen2.5-0.5B-tokenizer"),
    ],
)
def test_a_model_is_found_by_any_of_its_names(said: str, meant: str) -> None:
    assert published().find(said).name == meant


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownModel) as caught:
        published().find("realtme")
    assert "`realtime`" in (caught.value.hint or "")


def test_every_entry_says_what_an_operator_must_know() -> None:
    for entry in published():
        assert entry.licence
        assert entry.files
        assert entry.sources[0].is_fixed, "what is fetched never changes"
        assert all(part.name in published().entries for part in published().parts(entry))
        assert not entry.engine or set(entry.dtypes) == {"cuda", "mps", "cpu"}


def test_no_two_entries_share_a_name() -> None:
    names = [name.lower() for entry in published() for name in entry.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["VibeVoice-Realtime-0.5B", "VibeVoice-1.5B", "VibeVoice-Large"])
def test_sizes_agree_with_the_number_of_parameters(name: str) -> None:
    """All in bf16: what the files have beyond the tensors is their headers."""
    entry = published().find(name)
    n_bytes = sum(f.n_bytes or 0 for f in entry.files if f.path.endswith(".safetensors"))
    assert 0 < n_bytes - BF16 * entry.parameters < MAX_HEADER


def test_parts_follow_their_model_and_come_once() -> None:
    found = published().with_parts(("f5", "realtime", "vocos"))
    assert [entry.name for entry in found] == [
        "F5TTS_v1_Base",
        "vocos-mel-24khz",
        "VibeVoice-Realtime-0.5B",
        "Qwen2.5-0.5B-tokenizer",
    ]


def test_the_settings_add_models_and_may_replace_one(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(
        "[models.mine]\nrepo = 'me/fine-tuned'\nfiles = ['config.json']\nlike = 'f5'\naliases = ['m']\n"
        "[models.vocos-mel-24khz]\npath = '/srv/vocos'\n"
    )
    found = catalogue(load_settings(tmp_path / "t.toml", {}))
    mine = found.find("M")
    assert (mine.name, mine.repo, mine.revision, mine.engine) == ("mine", "me/fine-tuned", "main", "f5")
    assert found.parts(mine)[0].path == "/srv/vocos"
    assert found.find("realtime").name == "VibeVoice-Realtime-0.5B"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (ModelSettings(), "neither"),
        (ModelSettings(repo="a/b", path="/x"), "both"),
        (ModelSettings(repo="a/b", like="nothing"), "not in the catalogue"),
        (ModelSettings(repo="../../etc"), "no hub id"),
        (ModelSettings(repo="a/b/c"), "no hub id"),
        (ModelSettings(repo="-e/x"), "no hub id"),
        (ModelSettings(repo="a/b", revision="../x"), "no revision"),
        (ModelSettings(repo="a/b", revision="/x"), "no revision"),
        (ModelSettings(repo="a/b", files=("../../x",)), "leads out"),
        (ModelSettings(repo="a/b", files=("/etc/passwd",)), "leads out"),
        (ModelSettings(repo="a/b", folder=".."), "leads out"),
        (ModelSettings(repo="a/b", manifest="/nowhere/m.json"), "cannot read the manifest"),
    ],
)
def test_a_wrong_entry_is_told_with_its_place(model: ModelSettings, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        catalogue(Settings(models={"mine": model}))
    assert "`[models.mine]`" in caught.value.message


def test_a_manifest_gives_an_own_entry_its_checksums(tmp_path: Path, cache: Path, model: Path) -> None:
    snapshot = HubCache(cache).find(entry_of(sharded_files()))
    assert snapshot is not None
    save_manifest(tmp_path / "m.json", Manifest((verify(snapshot).to_manifest(),)))
    own = ModelSettings(repo=REPO, revision=COMMIT, manifest=str(tmp_path / "m.json"))
    entry = catalogue(Settings(models={"mine": own})).find("mine")
    assert {file.path: file.sha256 for file in entry.files} == {
        file.path: file.sha256 for file in entry_of(sharded_files()).files
    }


def test_the_cache_is_where_the_hubs_library_has_it(tmp_path: Path) -> None:
    library = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    for env in ({}, {"HF_HOME": "/srv/hf"}, {"XDG_CACHE_HOME": "/srv/cache"}, {"HF_HUB_CACHE": "/x"}):
        theirs = subprocess.check_output(
            [sys.executable, "-c", library], env={"HOME": str(Path.home()), **env}, text=True
        )
        assert cache_folder(load_settings(None, env), env) == Path(theirs.strip())
    assert cache_folder(Settings(), {}) == Path("~/.cache/huggingface/hub").expanduser()
    assert cache_folder(Settings(), {"HF_HOME": "/srv/hf"}) == Path("/srv/hf/hub")
    assert cache_folder(load_settings(None, {"HF_HUB_CACHE": "/x"}), {"HF_HOME": "/y"}) == Path("/x")
    assert cache_folder(Settings(hub=HubSettings(cache=str(tmp_path)))) == tmp_path


def test_a_branch_is_found_through_its_ref(cache: Path, model: Path) -> None:
    entry = Entry(name="x", repo=REPO, revision="main")
    snapshot = HubCache(cache).find(entry)
    assert snapshot is not None
    assert (snapshot.folder, snapshot.source) == (model, Source(REPO, COMMIT))


def test_the_place_that_took_over_is_used_when_the_first_is_not_here(cache: Path, model: Path) -> None:
    entry = Entry(name="x", repo="gone/away", revision="ab" * 20, also=(Source(REPO, COMMIT),))
    snapshot = HubCache(cache).find(entry)
    assert snapshot is not None
    assert snapshot.source.repo == REPO
    assert not snapshot.is_as_catalogued


def test_what_is_not_here_is_told_with_the_command_that_fetches_it(cache: Path, model: Path) -> None:
    assert require(model) == model
    absent = HubCache(cache).snapshot_folder(Source("you/yours", "ab" * 20))
    with pytest.raises(EngineUnavailable) as caught:
        require(absent)
    assert "`ttsops models pull you/yours`" in (caught.value.hint or "")
