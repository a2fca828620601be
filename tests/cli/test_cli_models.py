"""`ttsops models` as an operator has it: words, files and exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.conftest import COMMIT, REPO, sharded_files, write_model
from models.fake_hub import FakeHub, serving
from models.ssh_server import MISSING, ssh_server

pytestmark = pytest.mark.server

SHARD = "model-00002-of-00002.safetensors"
SETTINGS = f"""
[models.small]
repo = "{REPO}"
revision = "{COMMIT}"
aliases = ["s"]
licence = "MIT"
files = {sorted(sharded_files())}
"""

Run = Callable[..., Any]


@pytest.fixture
def hub_cache(ttsops: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a model of the settings."""
    folder = tmp_path / "hub"
    for name in ("HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    (tmp_path / "ttsops.toml").write_text(SETTINGS)
    return folder


@pytest.fixture
def here(hub_cache: Path) -> Path:
    """The model is here; its snapshot."""
    return write_model(hub_cache, sharded_files())


def test_the_list_says_what_is_here(ttsops: Run, here: Path) -> None:
    done = ttsops("models", "list")
    assert done.code == 0, done.err
    rows = {line.split()[0]: line for line in done.out.splitlines()}
    assert " here " in rows["small"]
    assert " not here " in rows["VibeVoice-1.5B"]
    assert "5.0 GiB" in rows["VibeVoice-1.5B"]
    assert "not for commercial use" in rows["F5TTS_v1_Base"]
    facts = json.loads(ttsops("models", "list", "--json").out)
    assert {one["name"]: one["state"] for one in facts}["small"] == "here"


def test_a_model_is_shown_with_its_memory_on_each_device(ttsops: Run, hub_cache: Path) -> None:
    done = ttsops("models", "show", "7b")
    assert "on cpu    fp32: the weights take 34.8 GiB" in done.out
    assert "WestZhang/VibeVoice-Large-pt" in done.out
    assert json.loads(ttsops("models", "show", "7B", "--json").out)["dtypes"]["mps"] == "fp16"


def test_an_unknown_name_is_wrong_usage(ttsops: Run, hub_cache: Path) -> None:
    for verb in ("show", "verify", "pull", "remove"):
        done = ttsops("models", verb, "smal")
        assert done.code == 2, verb
        assert "did you mean `small`?" in done.err


def test_whole_weights_pass(ttsops: Run, here: Path) -> None:
    for words in (("models", "verify"), ("models", "verify", "s", "--quick"), ("verify-cache",)):
        done = ttsops(*words)
        assert done.code == 0, done.err
        assert "small: whole (4 files" in done.out


def test_a_damaged_file_is_named_with_what_to_do(ttsops: Run, here: Path) -> None:
    blob = (here / SHARD).resolve()
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = ttsops("models", "verify")
    assert done.code == 1
    assert f"  {SHARD}: is damaged" in done.out
    assert "next: `ttsops models pull small --repair`" in done.out
    assert ttsops("models", "verify", "--prometheus", "models.prom").code == 1
    assert re.search(r'^tts_model_integrity_ok\{model="[^"]+"\} 0\.0$', Path("models.prom").read_text(), re.M)
    assert ttsops("models", "verify", "--prometheus", "nowhere/models.prom").code == 1
    facts = json.loads(ttsops("models", "verify", "--json").out)
    assert not facts["is_whole"]
    (problem,) = facts["models"][0]["problems"]
    assert (problem["file"], problem["kind"]) == (SHARD, "checksum")
    assert ttsops("models", "verify", "--quick").code == 0, "which has no checksums"


def test_what_is_not_here_is_no_success(ttsops: Run, hub_cache: Path) -> None:
    """A check that found nothing to check must not be green."""
    done = ttsops("models", "verify")
    assert done.code == 1
    assert "there are no models" in done.out
    done = ttsops("models", "verify", "small")
    assert done.code == 1
    assert "next: `ttsops models pull small`" in done.out


def test_a_manifest_is_saved_and_finds_what_changed(ttsops: Run, here: Path) -> None:
    write_model(here.parents[2], {"weights.json": b"[1]"}, repo="other/one")
    assert ttsops("models", "verify", "--all", "--save-manifest", "m.json").code == 0
    names = [model["name"] for model in json.loads(Path("m.json").read_text())["models"]]
    assert names == ["small", "other/one"]
    assert ttsops("models", "verify", "--against", "m.json").code == 0
    shutil.rmtree(here.parents[2] / "models--other--one")
    write_model(here.parents[2], {"weights.json": b"[2]"}, repo="other/one")
    done = ttsops("models", "verify", "--against", "m.json")
    assert done.code == 1
    assert "weights.json: is another file" in done.out
    assert ttsops("models", "verify", "--quick", "--save-manifest", "n.json").code == 2


def test_a_model_is_pulled_checked_and_repaired(ttsops: Run, hub_cache: Path, tmp_path: Path) -> None:
    with serving(FakeHub(REPO, sharded_files())) as hub:
        os.environ["HF_ENDPOINT"] = hub.url
        try:
            done = ttsops("models", "pull", "small")
            assert done.code == 0, done.err
            assert "small: whole (4 files" in done.err
            blob = (hub_cache / "models--acme--small-voice" / "snapshots" / COMMIT / SHARD).resolve()
            blob.write_bytes(b"damaged")
            assert ttsops("models", "pull", "small").code == 1, "what is here is not fetched again unasked"
            done = ttsops("models", "pull", "small", "--repair")
            assert done.code == 0, done.err
            assert len(hub.ranges) == 5, "one file came again"
        finally:
            del os.environ["HF_ENDPOINT"]


def test_nothing_is_pulled_offline(ttsops: Run, hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = ttsops("models", "pull", "small")
    assert done.code == 1
    assert "HF_HUB_OFFLINE" in done.err


@pytest.mark.skipif(bool(MISSING), reason=f"NOT TESTED: {', '.join(MISSING)} missing")
def test_models_are_copied_from_another_machine(
    ttsops: Run, hub_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    far = tmp_path / "far"
    write_model(far, sharded_files())
    with ssh_server(tmp_path / "ssh") as server:
        done = ttsops("models", "sync", f"{server.place}:{far}", "--ssh", server.ssh)
        assert done.code == 0, done.err
        assert "small: whole (4 files" in done.err
        done = ttsops("models", "sync", f"{server.place}:{far}", "7B", "--ssh", server.ssh)
        assert done.code == 1
        assert f"there are: {REPO}" in done.err


def test_an_archive_carries_models_and_voices(
    ttsops: Run, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "en-Bob_man.safetensors").write_bytes(b"voice")
    done = ttsops("models", "pack", "all.tar.gz", "--voices", "voices")
    assert done.code == 0, done.err
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "there"))
    done = ttsops("models", "unpack", "all.tar.gz", "--voices", "new")
    assert done.code == 0, done.err
    assert (tmp_path / "new" / "en-Bob_man.safetensors").read_bytes() == b"voice"
    assert ttsops("models", "verify", "small").code == 0
    assert ttsops("models", "unpack", "all.tar.gz").code == 2, "voices without a folder"
    (tmp_path / "all.tar.gz").write_bytes(b"x")
    assert ttsops("models", "unpack", "all.tar.gz", "--voices", "new").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("pack", "a.tar", "--voices", "absent"),
        ("pack", "a.tar", "7B"),
        ("unpack", "absent.tar"),
        ("verify", "--against", "absent.json"),
    ],
)
def test_what_is_not_there_is_told(ttsops: Run, here: Path, words: tuple[str, ...]) -> None:
    done = ttsops("models", *words)
    assert done.code == 1
    assert "absent" in done.err or "not here: VibeVoice-Large" in done.err
    assert not Path("a.tar").exists()


def test_a_model_is_removed(ttsops: Run, here: Path) -> None:
    write_model(here.parents[2], {"a.json": b"1"}, repo="other/one")
    for name in ("s", "other/one"):
        assert ttsops("models", "remove", name).code == 0
    assert [*here.parents[2].iterdir()] == []
    done = ttsops("models", "remove", "small")
    assert done.code == 1
    assert "is not in" in done.err
