"""`ttsops voice import`: published prompts become files without code, and hostile ones become nothing."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines import registry
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice_realtime.config import read_config
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.voice_state import load_voices

pytestmark = pytest.mark.unit

MIKE = Path(__file__).parents[1] / "golden" / "vibevoice_realtime" / "voices" / "en-Mike_man.pt"

Ttsops = Callable[..., Any]


class Payload:
    """Pickled, it asks whoever loads it to run `code`."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (self.code,)


def test_a_published_prompt_becomes_tensors_and_a_manifest(ttsops: Ttsops) -> None:
    done = ttsops("voices", "import", MIKE, "--to", "my/voices")
    assert (done.code, done.err) == (0, "Imported `en-Mike_man` into `my/voices`\n")
    assert sorted(path.name for path in Path("my/voices").iterdir()) == [
        "en-Mike_man.json",
        "en-Mike_man.safetensors",
    ]
    manifest = json.loads(Path("my/voices/en-Mike_man.json").read_text())
    assert (manifest["name"], manifest["source"]["file"]) == ("Mike", MIKE.name)
    assert load_file("my/voices/en-Mike_man.safetensors")["speech"].shape == (20, 2, 2, 148, 64)


def test_a_second_import_replaces_the_first(ttsops: Ttsops) -> None:
    for _ in range(2):
        assert ttsops("voices", "import", MIKE, "--to", "voices").code == 0
    assert len(list(Path("voices").iterdir())) == 2


def test_the_settings_say_where_voices_are(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text('[engines.vibevoice-realtime.options]\nmodel = "weights"\n')
    assert ttsops("voices", "import", MIKE).code == 0
    assert list(load_voices(Path("weights/voices"))) == ["en-Mike_man"]


def test_without_a_folder_it_asks_for_one(ttsops: Ttsops) -> None:
    done = ttsops("voices", "import", MIKE)
    assert (done.code, "--to" in done.err) == (2, True)


def test_a_hostile_prompt_is_refused_and_its_code_is_not_run(ttsops: Ttsops, tmp_path: Path) -> None:
    """The payload is a real one: `torch.load` runs it, and it writes a file."""
    trace = tmp_path / "i-was-here"
    hostile = tmp_path / "en-Eve_woman.pt"
    torch.save({"lm": Payload(f"open({str(trace)!r}, 'w').close()")}, hostile)
    torch.load(hostile, weights_only=False)
    assert trace.exists(), "an exploit that does not work proves nothing"
    trace.unlink()

    done = ttsops("voices", "import", hostile, "--to", "voices")
    assert done.code == 2
    assert "`en-Eve_woman.pt`" in done.err.replace(str(tmp_path) + "/", "")
    assert "names `builtins.exec`, which no voice needs" in done.err.replace("__builtin__", "builtins")
    assert not trace.exists()
    assert not Path("voices").exists()


@pytest.mark.parametrize("content", [b"", b"not a zip", pickle.dumps({"lm": 1})])
def test_what_is_no_prompt_is_refused_by_name(ttsops: Ttsops, content: bytes) -> None:
    Path("odd.pt").write_bytes(content)
    done = ttsops("voices", "import", "odd.pt", "--to", "voices")
    assert (done.code, "`odd.pt` is no voice prompt" in done.err) == (2, True)
    assert not Path("voices").exists()


def test_a_file_that_is_not_there_is_wrong_usage(ttsops: Ttsops) -> None:
    assert ttsops("voices", "import", "nobody.pt", "--to", "voices").code == 2


def test_a_folder_that_cannot_be_written_leaves_nothing_half_done(ttsops: Ttsops) -> None:
    assert ttsops("voices", "import", MIKE, "--to", "voices").code == 0
    before = Path("voices/en-Mike_man.safetensors").read_bytes()
    Path("voices/en-Mike_man.json").unlink()
    Path("voices/en-Mike_man.json").mkdir()
    shutil.copy(MIKE, "en-Mike_man.pt")
    assert ttsops("voices", "import", "en-Mike_man.pt", "--to", "voices").code == 1
    assert Path("voices/en-Mike_man.safetensors").read_bytes() == before
    assert sorted(path.name for path in Path("voices").iterdir()) == [
        "en-Mike_man.json",
        "en-Mike_man.safetensors",
    ]


def test_without_torch_it_says_what_to_install(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "torch" else found(name))
    done = ttsops("voices", "import", MIKE, "--to", "voices")
    assert (done.code, "pip install 'tts-ops[vibevoice]'" in done.err) == (3, True)


def test_imported_voices_are_listed_by_the_engine_they_are_for(ttsops: Ttsops) -> None:
    write_thin_model(Path("weights"))
    Path("ttsops.toml").write_text("""
[engines.vibevoice-realtime]
device = "cpu"
max_streams = 1
[engines.vibevoice-realtime.options]
model = "weights"
max_positions = 512
""")
    unheard = ttsops("voices", "--engine", "vibevoice-realtime")
    assert unheard.code == 3
    assert "`ttsops voice import *.pt --to weights/voices`" in unheard.err
    assert ttsops("voices", "import", MIKE).code == 0
    done = ttsops("voices", "--engine", "vibevoice-realtime")
    assert (done.code, done.out.split()) == (0, ["*", "en-Mike_man", "en", "Mike"])


def write_thin_model(folder: Path) -> None:
    """In the published layout, with as many layers and heads as a published voice has states of; the rest
    as thin as can be, and all weights zero."""
    folder.mkdir()
    config = {
        "decoder_config": {
            "hidden_size": 128,
            "intermediate_size": 8,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "num_hidden_layers": 24,
            "vocab_size": 512,
            "max_position_embeddings": 8192,
            "rope_theta": 1e6,
            "rms_norm_eps": 1e-6,
        },
        "tts_backbone_num_hidden_layers": 20,
        "diffusion_head_config": {
            "hidden_size": 128,
            "head_layers": 1,
            "head_ffn_ratio": 1.0,
            "latent_size": 8,
            "rms_norm_eps": 1e-5,
        },
        "acoustic_tokenizer_config": {
            "vae_dim": 8,
            "decoder_n_filters": 2,
            "encoder_ratios": [2, 2],
            "encoder_depths": "1-1-1",
            "layernorm_eps": 1e-5,
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    weights = NotedZeros()
    RealtimeModel(weights, read_config(folder / "config.json"))
    save_file(weights.given, folder / "model.safetensors")
    (folder / "vocab.json").write_text(json.dumps({"a": 0, "b": 1}))
    (folder / "merges.txt").write_text("#version: 0.2\n")


class NotedZeros(RandomWeights):
    """Remembers under which names zeros were taken."""

    def __init__(self) -> None:
        super().__init__(0)
        self.given: dict[str, torch.Tensor] = {}

    def take(self, name: str, *shape: int, **how: object) -> torch.Tensor:
        self.given[name] = torch.zeros(shape)
        return self.given[name].clone()
