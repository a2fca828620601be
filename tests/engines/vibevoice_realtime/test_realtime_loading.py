"""From a folder in the published layout to a speaking engine, and every way in which that fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ttsops.engines import registry
from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.qwen_tokenizer import QwenTokenizer
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice_realtime import loading
from ttsops.engines.vibevoice_realtime.card import CARD, MAX_POSITIONS
from ttsops.engines.vibevoice_realtime.config import parse_config, read_config
from ttsops.engines.vibevoice_realtime.engine import RealtimeEngine
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import (
    FULL,
    SMALL,
    random_model,
    random_voices,
    random_weights,
)
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.voice_import import import_voice
from ttsops.engines.vibevoice_realtime.voice_state import save_voice
from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.speech import SpeechRequest
from ttsops.testing import speak

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden" / "vibevoice_realtime"
TEXT = "The first bus leaves at seven. It's late, isn't it?"


def small_config() -> dict[str, object]:
    language_model = asdict(SMALL.language_model) | {"num_hidden_layers": 5, "hidden_act": "silu"}
    decoder = SMALL.decoder
    return {
        "decoder_config": language_model,
        "tts_backbone_num_hidden_layers": 3,
        "diffusion_head_config": asdict(SMALL.head) | {"prediction_type": "v_prediction"},
        "acoustic_tokenizer_config": {
            "vae_dim": decoder.latent_size,
            "decoder_n_filters": decoder.n_filters,
            "decoder_ratios": None,
            "encoder_ratios": list(decoder.ratios),
            "decoder_depths": None,
            "encoder_depths": "-".join(str(depth) for depth in reversed(decoder.depths)),
            "layernorm_eps": decoder.norm_eps,
        },
    }


class Recording(RandomWeights):
    """Remembers what it gave: a checkpoint of a random model."""

    def __init__(self) -> None:
        inner = random_weights(0)
        self.__dict__.update(inner.__dict__)
        self.given: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int, **how: object) -> Tensor:
        self.given[name] = super().take(name, *shape, **how)  # type: ignore[arg-type]
        return self.given[name].clone()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, qwen_folder: Path) -> Path:
    """A small model in the published layout, its tokenizer and two voices."""
    folder = tmp_path_factory.mktemp("published")
    weights = Recording()
    model = RealtimeModel(weights, SMALL)
    unused = {"model.tts_language_model.embed_tokens.weight": torch.zeros(512, 64)}
    save_file(weights.given | unused, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(small_config()))
    shutil.copy(qwen_folder / "tokenizer.json", folder)
    for voice, state in random_voices(model, ("en-Mike_man", "de-Spk0_woman"), 0).values():
        save_voice(folder / "voices", voice, state, {})
    return folder


@pytest.fixture
def copied(published: Path, tmp_path: Path) -> Path:
    """To be broken."""
    return Path(shutil.copytree(published, tmp_path / "copy"))


def load(folder: Path, **options: str | int) -> RealtimeEngine:
    return loading.create(
        EngineConfig(
            device="cpu", max_streams=2, options={"model": str(folder), "max_positions": 256} | options
        )
    )


def test_a_published_folder_speaks_as_its_weights_do(published: Path) -> None:
    engine = load(published)
    model = random_model(SMALL, 0, layer=pack)
    voices = random_voices(model, ("en-Mike_man", "de-Spk0_woman"), 0)
    card = engine.card
    direct = RealtimeEngine(card, model, StreamSlots(model, 1, 256), QwenTokenizer(published), voices)
    request = SpeechRequest(TEXT, seed=3)
    assert np.array_equal(speak(engine, request).samples, speak(direct, request).samples)


def test_the_card_tells_what_was_loaded(published: Path) -> None:
    card = load(published).card
    assert card.default_voice == "de-Spk0_woman"
    assert load(published, default_voice="en-Mike_man").card.default_voice == "en-Mike_man"
    assert card.languages == ("de", "en")
    assert card.aliases == {"echo": "en-Mike_man"}
    assert (card.max_streams, card.max_batch) == (2, 2)
    assert "RANDOM" not in card.summary


def test_the_registry_finds_it() -> None:
    found = registry.spec("vibevoice-realtime")
    assert registry.card(found.name) == CARD
    assert found.install_command == "pip install 'tts-ops[vibevoice]'"
    with pytest.raises(EngineUnavailable, match="no weights"):
        registry.create("vibevoice-realtime")


def test_random_weights_say_so(caplog: pytest.LogCaptureFixture) -> None:
    config = EngineConfig(device="cpu", max_streams=1, options={"random_weights": "small"})
    assert loading.create(config).card.summary.startswith("RANDOM WEIGHTS (small): noise, not speech")
    assert "random weights" in caplog.text


def test_bf16_speaks() -> None:
    options: dict[str, str | int] = {"random_weights": "small", "max_positions": 256}
    engine = loading.create(EngineConfig(device="cpu", dtype="bf16", max_streams=1, options=options))
    samples = speak(engine, SpeechRequest(TEXT, seed=0)).samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() > 1e-3


def test_memory_per_stream_is_what_is_allocated() -> None:
    options: dict[str, str | int] = {"random_weights": "small", "max_positions": 1000}
    card = loading.create(EngineConfig(device="cpu", max_streams=1, options=options)).card
    sizes = SMALL.language_model
    n_layers = SMALL.n_text_layers + 2 * SMALL.n_speech_layers
    caches = n_layers * 2 * sizes.num_key_value_heads * 1000 * sizes.head_dim * 4
    assert caches < card.bytes_per_stream < caches + 50_000


class ShapesOnly(RandomWeights):
    """A model of any size that takes no memory."""

    def take(self, name: str, *shape: int, **how: object) -> Tensor:
        return torch.zeros(shape, device="meta" if shape else "cpu", dtype=torch.bfloat16)


def test_the_memory_told_before_loading_is_that_of_the_published_model() -> None:
    model = RealtimeModel(ShapesOnly(0, device=torch.device("meta"), dtype=torch.bfloat16), FULL)
    each = StreamSlots(model, 1, MAX_POSITIONS).bytes_per_stream
    assert CARD.bytes_per_stream == pytest.approx(each, rel=0.01)


def test_streams_are_never_more_than_memory_has(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, str | int] = {"random_weights": "small", "max_positions": 1000}
    config = EngineConfig(device="cpu", max_streams=8, options=options)
    each = loading.create(config).card.bytes_per_stream
    monkeypatch.setattr(loading, "free_bytes", lambda _: int(3.5 * each / loading.MEMORY_SHARE))
    card = loading.create(config).card
    assert (card.max_streams, card.max_batch) == (3, 3)
    monkeypatch.setattr(loading, "free_bytes", lambda _: each // 2)
    with pytest.raises(EngineUnavailable, match="not memory for one stream"):
        loading.create(config)


def test_a_voice_of_another_model_is_refused(copied: Path) -> None:
    import_voice(GOLDEN / "voices" / "en-Mike_man.pt", copied / "voices")
    with pytest.raises(EngineUnavailable, match="`en-Mike_man` was not made for this model"):
        load(copied)


def test_voices_that_are_missing_or_too_long_are_told(copied: Path) -> None:
    with pytest.raises(ConfigError, match="alone takes 60"):
        load(copied, max_positions=100)
    with pytest.raises(ConfigError, match="no voice `nobody`"):
        load(copied, default_voice="nobody")
    shutil.rmtree(copied / "voices")
    with pytest.raises(EngineUnavailable, match="no voices"):
        load(copied)


def test_a_tokenizer_of_another_model_is_refused(copied: Path) -> None:
    tree = json.loads((copied / "tokenizer.json").read_text())
    tree["model"]["vocab"] |= {f"more{i}": 1000 + i for i in range(100)}
    (copied / "tokenizer.json").write_text(json.dumps(tree))
    with pytest.raises(EngineUnavailable, match="the tokenizer knows"):
        load(copied)


def test_an_incomplete_checkpoint_is_refused(copied: Path) -> None:
    tensors = load_file(copied / "model.safetensors")
    del tensors["model.acoustic_connector.norm.weight"]
    save_file(tensors | {"model.new_feature": torch.zeros(1)}, copied / "model.safetensors")
    with pytest.raises(EngineUnavailable) as caught:
        load(copied)
    assert "missing: model.acoustic_connector.norm.weight" in caught.value.message
    assert "unknown: model.new_feature" in caught.value.message


def test_a_configuration_that_asks_for_more_is_refused(copied: Path) -> None:
    tree = small_config()
    assert parse_config(tree) == SMALL
    tree["decoder_config"] |= {"rope_scaling": {"type": "yarn"}}  # type: ignore[operator]
    (copied / "config.json").write_text(json.dumps(tree))
    with pytest.raises(EngineUnavailable, match="`rope_scaling` is"):
        load(copied)
    (copied / "config.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="`decoder_config` is missing"):
        read_config(copied / "config.json")


def test_the_full_size_is_the_published_one() -> None:
    """881 tensors: the encoder's 276, one that is never read, and these; sizes as documented."""
    sizes: dict[str, int] = {}

    class Counting(RandomWeights):
        def take(self, name: str, *shape: int, **_: object) -> Tensor:
            sizes[name] = int(np.prod(shape, dtype=np.int64))
            # Shapes without memory; only single numbers are ever looked at.
            return torch.empty(shape, device="meta") if shape else torch.ones(())

    RealtimeModel(Counting(0, device=torch.device("meta")), FULL)
    assert len(sizes) == 881 - 276 - 1

    def million(prefix: str) -> float:
        return round(sum(n for name, n in sizes.items() if name.startswith(prefix)) / 1e6, 1)

    assert million("model.tts_language_model.") == 298.2
    assert million("model.language_model.layers.") == 59.6
    assert million("model.prediction_head.") == 42.1
    assert million("model.acoustic_tokenizer.") == 343.7


@pytest.mark.server
def test_importing_the_card_or_the_package_imports_no_framework() -> None:
    script = "import sys, ttsops.engines.vibevoice_realtime.card; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
