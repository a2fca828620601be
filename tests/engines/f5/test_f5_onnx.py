"""The exported graphs, run by ONNX Runtime, are the model; what is broken or of other weights is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.f5 import onnx_export, onnx_folder
from ttsops.engines.f5.engine import F5Engine
from ttsops.engines.f5.loading import create
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.onnx_check import check
from ttsops.engines.f5.onnx_export import export, write_graphs
from ttsops.engines.f5.onnx_folder import MANIFEST_FILE, Origin, read_manifest
from ttsops.engines.f5.onnx_graphs import graphs_of
from ttsops.engines.f5.onnx_runtime import OnnxDiT, OnnxVocos, use_graphs
from ttsops.engines.f5.random_model import SMALL, random_model
from ttsops.engines.f5.sampler import advance, start_flow
from ttsops.engines.f5.schedule import Schedule
from ttsops.errors import AudioError, ConfigError, EngineUnavailable, InvalidValue, NotInstalled, TtsOpsError
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.testing import check_engine, speak

pytestmark = pytest.mark.unit

BATCH = Path(__file__).parents[2] / "golden" / "f5" / "batch2_nfe8_attnmask"
NOISE = {"random_weights": "small", "random_seed": 1}


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small random model; nothing may change it."""
    folder = tmp_path_factory.mktemp("onnx") / "small"
    export(NOISE, folder)
    return folder


@pytest.fixture
def broken(exported: Path, tmp_path: Path) -> Path:
    """A copy, to be broken."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


@pytest.fixture(scope="session")
def by_onnx(exported: Path) -> F5Model:
    model = random_model(SMALL, 1)
    use_graphs(model, exported, read_manifest(exported))
    return model


def engine_of(folder: Path | str, **options: OptionValue) -> F5Engine:
    config = EngineConfig(
        device="cpu", max_streams=4, options={**NOISE, "runtime": "onnx", "onnx": str(folder), **options}
    )
    return create(config)


def edit(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest | changes))


@pytest.mark.parametrize("lengths", [(2,), (33,), (64, 64), (90, 17, 41), (5, 300)])
def test_velocities_are_those_of_pytorch_for_any_rows_and_lengths(
    model: F5Model, by_onnx: F5Model, lengths: tuple[int, ...]
) -> None:
    n_rows, n_frames = len(lengths), max(lengths)
    config = model.config.dit
    x, cond = torch.randn(2, n_rows, n_frames, config.n_mels)
    text = torch.randn(n_rows, n_frames, config.text_dim)
    modulations = model.modulations.table(Schedule(7))[:n_rows]
    there = torch.arange(n_frames) < torch.tensor(lengths)[:, None]
    mask = None if there.all() else there
    found, wanted = (one.dit.forward(x, cond, text, modulations, mask)[there] for one in (by_onnx, model))
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)


@pytest.mark.parametrize(("n_waves", "n_frames"), [(1, 1), (1, 2), (2, 77)])
def test_waves_are_those_of_pytorch(model: F5Model, by_onnx: F5Model, n_waves: int, n_frames: int) -> None:
    mel = torch.randn(n_waves, n_frames, 100) - 2.0
    torch.testing.assert_close(by_onnx.vocos(mel), model.vocos(mel), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 76), (30, 31), (75, 76), (11, 60), (40, 40)])
def test_a_window_is_exactly_that_of_the_whole(by_onnx: F5Model, start: int, end: int) -> None:
    mel = torch.randn(1, 77, 100) - 2.0
    whole = by_onnx.vocos(mel)[:, start * 256 : end * 256]
    torch.testing.assert_close(by_onnx.vocos.decode(mel, start, end), whole, atol=1e-6, rtol=0)


def test_a_padded_batch_is_sampled_as_everybody_alone(model: F5Model, by_onnx: F5Model) -> None:
    reference = torch.randn(30, 100)

    def mels(one: F5Model, together: bool) -> list[torch.Tensor]:
        flows = [
            start_flow(one, reference, range(10), n, Schedule(nfe), cfg_strength=cfg, seed=n)
            for n, nfe, cfg in ((80, 7, 2.0), (120, 5, 0.0))
        ]
        while not all(flow.is_done for flow in flows):
            advance(one, flows, together=together)
        return [flow.mel() for flow in flows]

    for found, wanted in zip(mels(by_onnx, True), mels(model, False), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_every_weight_is_written_once_and_in_standard_operators(exported: Path) -> None:
    config = SMALL.dit
    block = 4 * config.dim**2 + 2 * config.ff_mult * config.dim**2 + (5 + config.ff_mult) * config.dim
    position = 2 * (config.dim * config.dim // 16 * 31 + config.dim)
    width = 2 * config.n_mels + config.text_dim
    n_weights = (
        config.depth * block
        + position
        + (width + 1) * config.dim
        + (config.dim + 1) * config.n_mels
        + config.dim_head // 2  # the rotation's frequencies
    )
    graph = onnx.load(exported / "dit.onnx").graph
    n_written = sum(int(np.prod(one.dims)) for one in graph.initializer)
    assert n_weights <= n_written < n_weights + 200, "what is more are sizes and single numbers"
    assert {node.domain for node in graph.node} == {""}
    assert not {"ScatterND", "IsNaN", "Loop"} & {node.op_type for node in graph.node}, "these are slow"


def test_the_manifest_says_what_was_exported_and_with_what(exported: Path) -> None:
    manifest = read_manifest(exported)
    assert manifest.origin == Origin(random_weights="small", random_seed=1)
    assert set(manifest.files) == {path.name for path in exported.iterdir()} - {MANIFEST_FILE}
    assert manifest.graphs["dit.onnx"].inputs["text"] == ["rows", "frames", SMALL.dit.text_dim]
    for name in ("dit.onnx", "vocos.onnx"):
        graph = onnx.load(exported / name).graph
        assert [one.name for one in graph.input] == list(manifest.graphs[name].inputs)
        assert [one.name for one in graph.output] == list(manifest.graphs[name].outputs)
    assert manifest.versions["torch"] == torch.__version__


def test_large_weights_are_kept_beside_their_graph_wherever_it_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: F5Model
) -> None:
    monkeypatch.setattr(onnx_export, "graphs_of", lambda model: graphs_of(model)[1:])  # it takes a third
    with torch.inference_mode(False), torch.no_grad():
        write_graphs(random_model(SMALL, 1), Origin(), tmp_path / "out", inline_bytes=600_000)
    assert set(read_manifest(tmp_path / "out").files) == {"vocos.onnx", "vocos.onnx.data"}
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    assert (moved / "vocos.onnx").stat().st_size < 200_000
    mel = torch.randn(1, 20, 100)
    found = OnnxVocos(moved / "vocos.onnx", SMALL.vocos)(mel)
    torch.testing.assert_close(found, model.vocos(mel), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_half_precision_is_exported_and_compared_with_its_own_tolerance(tmp_path: Path) -> None:
    export(NOISE, tmp_path / "half", "fp16")
    found = check(tmp_path / "half", {}, ())
    velocities = [one for one in found if one.name.startswith("velocity")]
    assert all(one.ok for one in found)
    assert all(1e-4 < one.max_abs_diff < one.tolerance for one in velocities)
    types = {one.name: one.data_type for one in onnx.load(tmp_path / "half" / "dit.onnx").graph.initializer}
    assert onnx.TensorProto.FLOAT16 in types.values()
    with pytest.raises(InvalidValue, match="recordings are in fp32"):
        check(tmp_path / "half", {}, (BATCH,))
    with pytest.raises(EngineUnavailable, match="a CPU only emulates"):
        engine_of(tmp_path / "half")


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the weights that a recording was made with."""
    folder = tmp_path_factory.mktemp("onnx") / "recorded"
    export({"model": str(BATCH)}, folder)
    return folder


def test_a_recording_is_sampled_again_by_onnx_runtime_alone(recorded: Path) -> None:
    found = {one.name: one for one in check(recorded, {}, (BATCH,))}
    assert all(one.ok for one in found.values())
    for i in (0, 1):
        mel = found[f"{BATCH.name}: single{i}_mel"]
        wave = found[f"{BATCH.name}: single{i}_waveform"]
        assert (mel.tolerance, wave.tolerance) == (1e-4, 1e-5)
        assert mel.max_abs_diff > 0, "another runtime rounds differently"


def test_one_wrong_weight_in_a_graph_is_found(recorded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(recorded, tmp_path / "bent"))
    model = onnx.load(folder / "dit.onnx")
    weight = max(model.graph.initializer, key=lambda one: int(np.prod(one.dims)))
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[7] += 0.5
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, folder / "dit.onnx")
    assert [one.name for one in check(folder, {}, (BATCH,)) if not one.ok] == ["files (SHA-256)"]
    files = read_manifest(folder).files | {"dit.onnx": onnx_folder.sha256_of(folder / "dit.onnx")}
    edit(folder, files=files)
    far = {one.name for one in check(folder, {}, (BATCH,)) if not one.ok}
    assert {"velocity of 250+250 frames", f"{BATCH.name}: single0_mel"} <= far
    assert not any(name.startswith("wave of") for name in far), "the vocoder is unchanged"


def test_a_recording_of_other_weights_is_refused(exported: Path) -> None:
    with pytest.raises(EngineUnavailable, match="random weights"):
        check(exported, {}, (BATCH,))


def test_an_export_of_a_checkpoint_needs_to_be_told_where_that_is(recorded: Path) -> None:
    with pytest.raises(InvalidValue, match="the export is of weights") as caught:
        check(recorded, {}, ())
    assert "--model" in str(caught.value.hint)


def test_the_engine_speaks_the_same_by_onnx_runtime(exported: Path) -> None:
    engine = engine_of(exported)
    assert isinstance(engine._model.dit, OnnxDiT)
    assert isinstance(engine._model.vocos, OnnxVocos)
    by_torch = create(EngineConfig(device="cpu", options=NOISE))
    request = SpeechRequest("The first bus leaves at seven, and the second one an hour later.", seed=3)
    np.testing.assert_allclose(speak(engine, request).samples, speak(by_torch, request).samples, atol=1e-5)


@pytest.mark.slow
def test_it_keeps_the_contract_by_onnx_runtime(exported: Path) -> None:
    report = check_engine(lambda: engine_of(exported))
    assert report.is_passed, str(report)


def test_schedules_that_are_known_may_free_their_weights_there_too(exported: Path) -> None:
    engine = engine_of(exported, only_nfe="7")
    assert not engine._model.modulations._layers
    assert len(speak(engine, SpeechRequest("Hello.", seed=1)).samples)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"onnx": ""}, "no export is named"),
        ({"compile": "always"}, "nothing to compile"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    exported: Path, options: dict[str, OptionValue], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        engine_of(exported, **options)


def test_an_export_of_other_weights_is_refused(exported: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"seed 1.*seed 2"):
        engine_of(exported, random_seed=2)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"format": 2}'])
def test_a_folder_that_is_no_export_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / MANIFEST_FILE).write_text(content)
    with pytest.raises(EngineUnavailable, match="no ONNX export"):
        engine_of(tmp_path)


def test_a_graph_that_cannot_be_opened_is_refused(broken: Path) -> None:
    (broken / "dit.onnx").write_bytes(b"no graph")
    with pytest.raises(EngineUnavailable, match=r"dit\.onnx` cannot be opened"):
        engine_of(broken)


@pytest.mark.parametrize("name", ["dit.onnx", "../manifest.json"])
def test_a_manifest_may_only_name_what_is_in_its_folder_and_unchanged(broken: Path, name: str) -> None:
    edit(broken, files=read_manifest(broken).files | {name: "0" * 64})
    (found,) = check(broken, {}, ())
    assert not found.ok


def refuse(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["_write", "sha256_of", "write_atomically"])
def test_a_half_written_export_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    if step != "_write":  # the graphs are another test's business
        monkeypatch.setattr(onnx_export, "_write", lambda one, path, *_: path.write_bytes(b"a graph"))
    monkeypatch.setattr(onnx_export, step, refuse)
    with pytest.raises(AudioError, match="No space left"):
        export(NOISE, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidValue, match="there is something"):
        export(NOISE, tmp_path / "out")


def test_a_checkpoint_that_is_not_there_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable):
        export({"model": str(tmp_path / "weights.safetensors")}, tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_folder, "find_spec", lambda name: None)


def test_without_the_extra_each_way_says_what_to_install(
    exported: Path, tmp_path: Path, without_packages: None
) -> None:
    ways = (
        lambda: export(NOISE, tmp_path / "out"),
        lambda: check(exported, {}, ()),
        lambda: engine_of(exported),
    )
    for way in ways:
        with pytest.raises(NotInstalled, match="not installed") as caught:
            way()
        assert isinstance(caught.value, TtsOpsError)
        assert caught.value.hint == "pip install 'tts-ops[f5,onnx]'"
