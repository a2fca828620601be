"""From files as they are published to an engine that speaks, or a sentence that says what is wrong."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engines.f5.conftest import BATCH
from ttsops.engines.contract import EngineConfig
from ttsops.engines.f5 import loading
from ttsops.engines.f5.engine import F5Engine
from ttsops.engines.f5.loading import bytes_per_flow, create
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import random_model
from ttsops.engines.nn import devices
from ttsops.engines.nn.devices import check_half
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.many_rows import make_rounded
from ttsops.errors import ConfigError, EngineUnavailable, UnknownVoice
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.testing import speak
from ttsops.voices.library import VoiceLibrary
from voices.speech_like import babble, wav_bytes

pytestmark = pytest.mark.unit

ALICE, BOB = "en-Alice_woman", "en-Bob_man"
TEXT = "The first bus leaves at seven."
CONSENT = "Recorded by themselves for these tests."


def add(library: VoiceLibrary, voice_id: str, seed: int) -> None:
    library.add(voice_id, wav_bytes(babble(3.0, seed=seed)), "Some words are said here.", consent=CONSENT)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model in the published layout, and two voices."""
    folder = tmp_path_factory.mktemp("F5TTS_v1_Base")
    shutil.copy(BATCH / "config.json", folder)
    shutil.copy(BATCH / "model.safetensors", folder / "model_1250000.safetensors")
    shutil.copy(BATCH.parent / "tokens" / "vocab.txt", folder)
    (folder / "vocos").mkdir()
    shutil.copy(BATCH / "vocos.safetensors", folder / "vocos" / "model.safetensors")
    shutil.copy(BATCH / "vocos_config.yaml", folder / "vocos" / "config.yaml")
    library = VoiceLibrary(folder / "voices")
    add(library, ALICE, 1)
    add(library, BOB, 2)
    return folder


@pytest.fixture
def copied(published: Path, tmp_path: Path) -> Path:
    """To be changed."""
    return Path(shutil.copytree(published, tmp_path / "copy"))


def load(folder: Path, dtype: str = "auto", **options: OptionValue) -> F5Engine:
    wanted: dict[str, OptionValue] = {"model": str(folder)} | options
    return create(EngineConfig(device="cpu", dtype=dtype, options=wanted))


def test_a_published_folder_speaks_with_its_imported_voices(published: Path) -> None:
    engine = load(published)
    assert [voice.id for voice in engine.voices()] == [ALICE, BOB]
    assert engine.card.default_voice == ALICE
    alice, bob = (speak(engine, SpeechRequest(TEXT, voice=one, seed=1)).samples for one in (ALICE, BOB))
    assert len(alice) > 12_000
    assert np.isfinite(alice).all()
    assert len(alice) != len(bob) or np.abs(alice - bob).max() > 1e-4


def test_the_checkpoint_itself_may_be_named(published: Path) -> None:
    engine = load(published / "model_1250000.safetensors", default_voice=BOB)
    assert engine.card.default_voice == BOB
    assert len(engine.voices()) == 2


def test_an_override_is_what_the_next_utterance_speaks_from(copied: Path) -> None:
    engine, library = load(copied), VoiceLibrary(copied / "voices")
    request = SpeechRequest(TEXT, voice=ALICE, seed=1)
    before = speak(engine, request).samples
    under_way = engine.open(request)
    library.set_override(ALICE, wav_bytes(babble(2.5, seed=9)), "Other words are said here.", consent=CONSENT)
    changed = speak(engine, request).samples
    assert len(changed) != len(before)
    heard = [engine.step([under_way])[0].samples]
    while not under_way.is_done:
        heard.append(engine.step([under_way])[0].samples)
    engine.close(under_way)
    np.testing.assert_array_equal(np.concatenate(heard), before, "whoever speaks already goes on as before")
    library.reset_override(ALICE)
    np.testing.assert_array_equal(speak(engine, request).samples, before)


def test_a_voice_that_was_removed_is_unknown(copied: Path) -> None:
    engine = load(copied)
    VoiceLibrary(copied / "voices").remove(BOB)
    with pytest.raises(UnknownVoice, match=BOB):
        engine.open(SpeechRequest(TEXT, voice=BOB))


def test_what_is_spoken_with_a_quiet_voice_is_quiet(copied: Path) -> None:
    quiet = wav_bytes(babble(3.0, seed=1, level=0.02))
    VoiceLibrary(copied / "voices").add("en-Quiet_man", quiet, "Some words are said here.", consent=CONSENT)
    engine = load(copied)
    loud, low = (
        float(np.abs(speak(engine, SpeechRequest(TEXT, voice=one, seed=1)).samples).max())
        for one in (ALICE, "en-Quiet_man")
    )
    assert low < 0.5 * loud


def test_random_weights_say_so_and_need_no_file(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        engine = create(EngineConfig(device="cpu", options={"random_weights": "small"}))
    assert "noise" in caplog.text
    assert engine.card.summary.startswith("RANDOM WEIGHTS (small)")


def test_without_weights_it_says_what_to_set() -> None:
    with pytest.raises(EngineUnavailable, match="no weights") as caught:
        create(EngineConfig(device="cpu"))
    assert "`model`" in str(caught.value.hint)


def test_without_voices_it_says_how_to_import_one(copied: Path) -> None:
    shutil.rmtree(copied / "voices")
    with pytest.raises(EngineUnavailable, match="no voices") as caught:
        load(copied)
    assert f"ttsops voice import --engine f5 … --to {copied / 'voices'}" in str(caught.value.hint)


def test_a_vocabulary_of_another_model_is_refused(copied: Path) -> None:
    (copied / "vocab.txt").write_text(" \na\nb\n")
    with pytest.raises(EngineUnavailable, match="the vocabulary has 3 tokens, the model 2545"):
        load(copied)


def test_an_unknown_default_voice_is_refused(published: Path) -> None:
    with pytest.raises(ConfigError, match="nobody"):
        load(published, default_voice="nobody")


def test_no_more_streams_are_let_in_than_there_is_memory_for(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = bytes_per_flow(load(published)._model.config)
    monkeypatch.setattr(loading, "free_bytes", lambda device: 4 * needed)
    engine = load(published)
    assert engine.card.max_streams == 3
    assert engine.card.bytes_per_stream == needed
    monkeypatch.setattr(loading, "free_bytes", lambda device: needed)
    with pytest.raises(EngineUnavailable, match="not memory"):
        load(published)


@pytest.mark.parametrize(("dtype", "feature"), [("fp16", "avx512_fp16"), ("bf16", "avx512_bf16")])
def test_half_precision_is_refused_where_it_would_be_emulated(
    published: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, feature: str
) -> None:
    monkeypatch.setattr(devices, "cpu_features", lambda: frozenset({"avx2"}))
    with pytest.raises(ConfigError, match="does not compute in"):
        load(published, dtype=dtype)
    monkeypatch.setattr(devices, "cpu_features", lambda: frozenset({"avx2", feature}))
    check_half(devices.DTYPES[dtype], torch.device("cpu"))
    check_half(devices.DTYPES[dtype], torch.device("cuda"))


@pytest.mark.parametrize(("wanted", "is_compiled"), [("always", True), ("never", False)])
def test_the_network_is_compiled_only_if_asked(
    monkeypatch: pytest.MonkeyPatch, wanted: str, is_compiled: bool
) -> None:
    compiled: list[tuple[object, str]] = []
    monkeypatch.setattr(loading, "compile_method", lambda *what: compiled.append(what))
    options: dict[str, OptionValue] = {"random_weights": "small", "compile": wanted}
    engine = create(EngineConfig(device="cpu", options=options))
    assert compiled == ([(engine._model.dit, "forward")] if is_compiled else [])


def test_int8_rounds_the_blocks_and_fp32_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    layers: list[object] = []

    def noted(*args: Any, layer: MakeLayer, **how: Any) -> F5Model:
        layers.append(layer)
        return random_model(*args, layer=layer, **how)

    monkeypatch.setattr(loading, "random_model", noted)
    for dtype in ("fp32", "int8"):
        create(EngineConfig(device="cpu", dtype=dtype, options={"random_weights": "small"}))
    assert layers == [Linear, make_rounded]


def test_eight_bit_layers_are_not_compiled() -> None:
    options: dict[str, OptionValue] = {"random_weights": "small", "compile": "always"}
    with pytest.raises(ConfigError, match="cannot be compiled"):
        create(EngineConfig(device="cpu", dtype="int8", options=options))
