"""The network's tensors are the published ones, and a checkpoint is read strictly."""

import json
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines.f5.checkpoint import find_vocab, load_model
from ttsops.engines.f5.config import PUBLISHED, DiTConfig, F5Config, VocosConfig, parse_config
from ttsops.engines.f5.model import PREFIX, F5Model
from ttsops.engines.f5.vocos import RECOMPUTED
from ttsops.engines.nn.compiled import tensors_of
from ttsops.engines.nn.linear import Linear
from ttsops.errors import EngineUnavailable

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden" / "f5"


class Shapes:
    """Tensors of no content: what a network asks for is written down."""

    device, dtype, layer = torch.device("meta"), torch.float32, Linear

    def __init__(self) -> None:
        self.taken: dict[str, list[int]] = {}
        self.ignored: tuple[str, ...] = ()

    def take(
        self, name: str, *shape: int, dtype: torch.dtype | None = None, fan_in: int | None = None
    ) -> torch.Tensor:
        assert name not in self.taken, "every tensor is taken once"
        self.taken[name] = list(shape)
        return torch.empty(shape, dtype=dtype, device=self.device)

    def finish(self, ignored: Sequence[str] = ()) -> None:
        self.ignored = tuple(ignored)


def published(name: str) -> dict[str, list[int]]:
    return {one["key"]: one["shape"] for one in json.loads((GOLDEN / name).read_text())}


@pytest.fixture(scope="module")
def full() -> tuple[F5Model, Shapes, Shapes]:
    weights, of_vocos = Shapes(), Shapes()
    return F5Model(weights, of_vocos, PUBLISHED), weights, of_vocos


def test_the_network_takes_every_published_tensor(full: tuple[F5Model, Shapes, Shapes]) -> None:
    keys = published("f5_v1_base_keys.json")
    recomputed = {f"{PREFIX}.rotary_embed.inv_freq"}
    assert len(keys) == 364
    assert full[1].taken == {name: shape for name, shape in keys.items() if name not in recomputed}
    assert all(name.startswith(full[1].ignored) for name in recomputed)


def test_the_vocoder_takes_every_published_tensor(full: tuple[F5Model, Shapes, Shapes]) -> None:
    keys = published("vocos_mel_24khz_keys.json")
    assert len(keys) == 83
    assert full[2].taken == {name: one for name, one in keys.items() if not name.startswith(RECOMPUTED)}
    assert len(keys) - len(full[2].taken) == 3


def test_without_the_weights_of_modulations_the_network_is_two_fifths_smaller() -> None:
    model = F5Model(Shapes(), Shapes(), PUBLISHED)

    def size() -> int:
        network = (model.text, model.modulations, model.dit)
        return sum(tensor.numel() for part in network for tensor in tensors_of(part))

    before = size()
    assert before == pytest.approx(337.1e6, rel=1e-3)
    model.drop_modulation_weights()
    assert before - size() == 22 * (6144 * 1024 + 6144) + 2048 * 1024 + 2048


def test_leftovers_of_training_are_ignored_and_nothing_else_is(batch: Path) -> None:
    path = batch / "model.safetensors"
    tensors = load_file(path)
    extra = {
        name: torch.zeros(1) for name in ("step", "initted", "ema_model.mel_spec.mel_stft.spectrogram.window")
    }
    save_file(tensors | extra, path)
    load_model(batch)
    save_file(tensors | {f"{PREFIX}.long_skip_connection.weight": torch.zeros(1)}, path)
    with pytest.raises(EngineUnavailable, match=r"1 unknown: .*long_skip_connection"):
        load_model(batch)


def test_the_published_layout_is_found_without_a_configuration_of_the_network(
    batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dit, mel = parse_config(json.loads((batch / "config.json").read_text()))
    monkeypatch.setattr("ttsops.engines.f5.checkpoint.PUBLISHED", F5Config(dit, VocosConfig(), mel))
    hub, vocoder = tmp_path / "F5TTS_v1_Base", tmp_path / "vocos-mel-24khz"
    hub.mkdir()
    vocoder.mkdir()
    shutil.copy(batch / "model.safetensors", hub / "model_1250000.safetensors")
    shutil.copy(batch / "vocos_config.yaml", vocoder / "config.yaml")
    torch.save(load_file(batch / "vocos.safetensors"), vocoder / "pytorch_model.bin")
    for path in (hub, hub / "model_1250000.safetensors"):
        model = load_model(path, vocoder)
        assert torch.equal(model.vocos(torch.ones(1, 5, 100)), load_model(batch).vocos(torch.ones(1, 5, 100)))
        assert find_vocab(path) == hub / "vocab.txt"
    vocoder.rename(hub / "vocos")
    load_model(hub)


def test_a_missing_part_is_named(batch: Path, tmp_path: Path) -> None:
    (batch / "vocos.safetensors").unlink()
    with pytest.raises(EngineUnavailable, match="no vocoder in") as e:
        load_model(batch)
    assert "vocos-mel-24khz" in str(e.value.hint)
    (batch / "model.safetensors").unlink()
    with pytest.raises(EngineUnavailable, match="there are 0: none"):
        load_model(batch)
    with pytest.raises(EngineUnavailable):
        load_model(tmp_path / "nowhere.safetensors", tmp_path)


def test_a_pickle_with_code_is_not_run(batch: Path, tmp_path: Path) -> None:
    vocoder = tmp_path / "vocoder"
    vocoder.mkdir()
    shutil.copy(batch / "vocos_config.yaml", vocoder / "config.yaml")
    torch.save({"backbone.embed.weight": Evil(vocoder / "ran")}, vocoder / "pytorch_model.bin")
    with pytest.raises(EngineUnavailable, match="no checkpoint can be read"):
        load_model(batch, vocoder)
    assert not (vocoder / "ran").exists()


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return pickle.loads, (b"cpathlib\nPath\n.",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pe_attn_head": 1}, "`pe_attn_head` is 1; only None is supported"),
        ({"text_mask_padding": False}, "`text_mask_padding` is False"),
        ({"depth": None}, "`depth` is missing"),
    ],
)
def test_a_network_of_another_kind_is_refused(batch: Path, changes: dict[str, object], message: str) -> None:
    path = batch / "config.json"
    tree = json.loads(path.read_text())
    tree["arch"] = {name: one for name, one in (tree["arch"] | changes).items() if name != "depth" or one}
    path.write_text(json.dumps(tree))
    with pytest.raises(EngineUnavailable, match=message):
        load_model(batch)


def test_a_vocoder_of_another_mel_does_not_fit() -> None:
    with pytest.raises(ValueError, match="of different mel spectrograms"):
        F5Config(DiTConfig(), VocosConfig(hop_length=300))
