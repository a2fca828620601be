"""Half-written files and incomplete weights do not pass."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from models.conftest import write_model
from ttsops.audio import Format, create_encoder
from ttsops.errors import AudioError
from ttsops.models.catalogue import published
from ttsops.ops.accept.disk import check_disk_full
from ttsops.ops.accept.gate import Failed, Skipped
from ttsops.ops.accept.weights import check_models
from ttsops.settings import EngineSettings, HubSettings, Settings
from ttsops.speech import Samples

pytestmark = pytest.mark.unit


@pytest.fixture(params=[True, False], ids=["small disk", "small files"])
def may_mount(request: pytest.FixtureRequest) -> bool:
    if request.param and os.geteuid() != 0:
        pytest.skip("only root may mount")
    return bool(request.param)


def test_a_full_disk_leaves_what_was_there(may_mount: bool) -> None:
    detail = check_disk_full(may_mount=may_mount).detail
    assert "64 KiB" in detail
    if not may_mount:
        assert "no right to mount" in detail


def write_in_place(path: Path, samples: Samples) -> None:
    with create_encoder(Format.WAV, total_samples=len(samples)) as encoder:
        try:
            path.write_bytes(encoder.encode(samples) + encoder.finish())
        except OSError as error:
            raise AudioError(f"cannot write `{path}`: {error}") from error


def leave_the_draft(path: Path, samples: Samples) -> None:
    draft = path.with_suffix(".part")
    try:
        write_in_place(draft, samples)
    except AudioError:
        raise AudioError(f"cannot write `{path}`") from None
    draft.rename(path)


def say_nothing(path: Path, samples: Samples) -> None:
    try:
        write_in_place(path, samples)
    except AudioError:
        return


def name_nothing(path: Path, samples: Samples) -> None:
    try:
        write_in_place(path, samples)
    except AudioError:
        raise AudioError("something went wrong") from None


def crash(path: Path, samples: Samples) -> None:
    if len(samples) > 24_000:
        raise RuntimeError("out of ideas")
    write_in_place(path, samples)


def test_a_writer_that_crashes_fails_and_what_it_said_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)  # the last word of a child without room would be about its coverage
    with pytest.raises(Failed, match="ended the process: RuntimeError: out of ideas"):
        check_disk_full(crash, may_mount=False)


@pytest.mark.parametrize(
    ("save", "problem"),
    [
        (write_in_place, "half of the new file in the place of the old one"),
        (leave_the_draft, "leaves `speech.part` behind"),
        (say_nothing, "told as a success"),
        (name_nothing, "does not name the file: something went wrong"),
    ],
)
def test_a_writer_that_leaves_half_or_says_nothing_fails(save: object, problem: str, may_mount: bool) -> None:
    with pytest.raises(Failed, match=problem):
        check_disk_full(save, may_mount=may_mount)  # type: ignore[arg-type]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    for name, file in shards.items():
        save_file({name: np.ones(1000, np.float32)}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "config.json").write_text("{}")
    return folder


def check(model: Path) -> str:
    setup = EngineSettings(options={"model": str(model)})
    settings = Settings(engine="vibevoice-realtime", engines={"vibevoice-realtime": setup})
    return check_models(settings, "vibevoice-realtime").detail


def test_whole_weights_pass(model: Path) -> None:
    assert check(model) == "4 files of model"


def test_each_kind_of_damage_is_named(model: Path, tmp_path: Path) -> None:
    def damaged(how: object, problem: str) -> None:
        copy = tmp_path / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(model, copy)
        how(copy)  # type: ignore[operator]
        with pytest.raises(Failed, match=problem):
            check(copy)

    def truncate(copy: Path) -> None:
        file = copy / "model-1.safetensors"
        file.write_bytes(file.read_bytes()[:-1])

    damaged(truncate, r"model-1.safetensors`: it is cut short")
    damaged(lambda copy: (copy / "model-1.safetensors").write_bytes(b"\xff" * 99), "model-1.safetensors`: ")
    damaged(lambda copy: (copy / "model-1.safetensors").write_bytes(b""), "is empty")
    damaged(
        lambda copy: (copy / "model-2.safetensors").unlink(),
        "model-2.safetensors` is not here",
    )
    damaged(lambda copy: (copy / "extra.bin").symlink_to("nowhere"), "a link that leads nowhere")
    damaged(lambda copy: (copy / "model.safetensors.index.json").write_text("{"), "is no index of shards")
    damaged(shutil.rmtree, "is not there")


def test_a_model_of_the_catalogue_is_held_to_it(tmp_path: Path) -> None:
    entry = published().find("realtime")
    files = {file.path: b"{}" for file in entry.files if not file.path.endswith(".safetensors")}
    write_model(tmp_path, files, repo=entry.repo, commit=entry.revision)
    setup = EngineSettings(options={"model": "realtime"})
    settings = Settings(engines={"vibevoice-realtime": setup}, hub=HubSettings(cache=str(tmp_path)))
    with pytest.raises(Failed, match=r"`tokenizer`: .* is not there"):
        check_models(settings, "vibevoice-realtime")
    part = published().find("qwen2.5-0.5b")
    write_model(tmp_path, {file.path: b"{}" for file in part.files}, repo=part.repo, commit=part.revision)
    with pytest.raises(Failed, match=r"model.safetensors` is not here"):
        check_models(settings, "vibevoice-realtime")


def test_engines_without_weights_are_skipped_with_the_reason() -> None:
    with pytest.raises(Skipped, match="`espeak` has no weights"):
        check_models(Settings(), "espeak")
    with pytest.raises(Skipped, match="no weights are set"):
        check_models(Settings(), "f5")
    random = Settings(engines={"f5": EngineSettings(options={"random_weights": "small"})})
    with pytest.raises(Skipped, match="random weights"):
        check_models(random, "f5")
