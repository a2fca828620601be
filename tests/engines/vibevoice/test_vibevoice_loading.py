"""From files as they are published to an engine that speaks, or a sentence that says what is wrong."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import GOLDEN, write_original
from safetensors.torch import load_file, save_file
from tokenizers import pre_tokenizers

from ttsops.engines import registry
from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.vibevoice import loading
from ttsops.engines.vibevoice.card import CARD
from ttsops.engines.vibevoice.engine import VibeVoiceEngine
from ttsops.engines.vibevoice.loading import create
from ttsops.engines.vibevoice.model import VibeVoiceModel, load_model
from ttsops.errors import ConfigError, EngineUnavailable, NoEos
from ttsops.speech import OptionValue, Samples, SpeechRequest
from ttsops.testing import speak
from ttsops.voices.library import VoiceLibrary
from voices.speech_like import babble, wav_bytes

pytestmark = pytest.mark.unit

ALICE, BOB = "en-Alice_woman", "en-Bob_man"
TEXT = "The first bus leaves at seven."
CONSENT = "Recorded by themselves for these tests."
SPEECH_IDS = {"eos": 508, "audio_bos": 509, "audio_eos": 510, "audio": 511}
N_HEARD = 6


def add(library: VoiceLibrary, voice_id: str, seed: int) -> None:
    library.add(voice_id, wav_bytes(babble(2.0, seed=seed)), consent=CONSENT)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded small model with a vocabulary of bytes, and two voices without a transcript."""
    folder = tmp_path_factory.mktemp("longform") / "VibeVoice-1.5B"
    shutil.copytree(GOLDEN / "one_speaker_short", folder)
    tree = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "model.safetensors")
    name = "model.language_model.embed_tokens.weight"
    rows = torch.randn(512, weights[name].shape[1], generator=torch.Generator().manual_seed(0)) * 0.02
    for token, number in SPEECH_IDS.items():
        rows[number] = weights[name][tree[f"{token}_token_id"]]
        tree[f"{token}_token_id"] = number
    tree["text_config"]["vocab_size"] = len(rows)
    for path in ("config.json", "model.safetensors"):
        (folder / path).unlink()
    (folder / "config.json").write_text(json.dumps(tree))
    tables = dict.fromkeys({name, "lm_head.weight"} & weights.keys(), rows)
    save_file(weights | {one: table.clone() for one, table in tables.items()}, folder / "model.safetensors")
    alphabet = {char: i for i, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    (folder / "vocab.json").write_text(json.dumps(alphabet))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    library = VoiceLibrary(folder / "voices")
    add(library, ALICE, 1)
    add(library, BOB, 2)
    return folder


@pytest.fixture
def copied(published: Path, tmp_path: Path) -> Path:
    """To be changed."""
    return Path(shutil.copytree(published, tmp_path / "copy"))


def load(folder: Path, dtype: str = "auto", **options: OptionValue) -> VibeVoiceEngine:
    wanted: dict[str, OptionValue] = {"model": str(folder), "max_positions": 512} | options
    return create(EngineConfig(device="cpu", dtype=dtype, options=wanted))


def begin(engine: VibeVoiceEngine, voice: str = ALICE) -> Samples:
    """The first frames: this model may have no end."""
    utterance = engine.open(SpeechRequest(TEXT, voice=voice, seed=1, options={"guard": "off"}))
    heard: list[Samples] = []
    while len(heard) < N_HEARD:
        step = engine.step([utterance])[0]
        assert not step.is_done
        assert not step.error
        heard += [step.samples] if len(step.samples) else []
    engine.close(utterance)
    return np.concatenate(heard)


def test_a_published_folder_speaks_with_its_imported_voices(published: Path) -> None:
    engine = load(published)
    assert [voice.id for voice in engine.voices()] == [ALICE, BOB], "none needs a transcript"
    assert engine.card.default_voice == ALICE
    alice, bob = begin(engine, ALICE), begin(engine, BOB)
    assert np.isfinite(alice).all()
    assert np.abs(alice - bob).max() > 1e-4


def test_both_layouts_say_the_same(published: Path, copied: Path) -> None:
    write_original(copied)
    np.testing.assert_allclose(begin(load(copied)), begin(load(published)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("dtype", "bits"), [("fp32", 32), ("int8", 8)])
def test_int8_keeps_weights_in_eight_bits_and_fp32_does_not(
    published: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, bits: int
) -> None:
    layers: list[Any] = []

    def noted(folder: Path, **how: Any) -> VibeVoiceModel:
        layers.append(how["layer"])
        return load_model(folder, **how)

    monkeypatch.setattr(loading, "load_model", noted)
    begin(load(published, dtype=dtype))
    assert [(layer.func, layer.keywords) for layer in layers] == [(pack, {"bits": bits})]


def test_speech_that_does_not_end_is_an_error_of_its_own(published: Path) -> None:
    engine = load(published, max_frames_per_char=0.1)
    with pytest.raises(NoEos, match="no end of speech after"):
        speak(engine, SpeechRequest(TEXT, seed=1, options={"guard": "off"}))


def test_another_recording_of_a_voice_is_what_the_next_utterance_speaks_from(copied: Path) -> None:
    engine, library = load(copied), VoiceLibrary(copied / "voices")
    before = begin(engine)
    library.remove(ALICE)
    add(library, ALICE, 9)
    assert np.abs(begin(engine) - before).max() > 1e-4


def test_random_weights_say_so_and_need_no_file(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        engine = create(EngineConfig(device="cpu", options={"random_weights": "small"}))
    assert "noise" in caplog.text
    assert engine.card.summary.startswith("RANDOM WEIGHTS (small)")


def test_random_weights_speak_with_recorded_voices_where_there_are_some(published: Path) -> None:
    options: dict[str, OptionValue] = {"random_weights": "small", "voices": str(published / "voices")}
    engine = create(EngineConfig(device="cpu", options=options))
    assert [voice.id for voice in engine.voices()] == [ALICE, BOB]
    assert len(speak(engine, SpeechRequest(TEXT, voice=BOB, seed=1, options={"guard": "off"})).samples)


def test_without_weights_it_says_what_to_set() -> None:
    with pytest.raises(EngineUnavailable, match="no weights") as caught:
        create(EngineConfig(device="cpu"))
    assert "`model`" in str(caught.value.hint)


def test_without_voices_it_says_how_to_import_one(copied: Path) -> None:
    shutil.rmtree(copied / "voices")
    with pytest.raises(EngineUnavailable, match="no voices") as caught:
        load(copied)
    assert f"ttsops voice import --engine vibevoice … --to {copied / 'voices'}" in str(caught.value.hint)


def test_without_a_tokenizer_it_says_where_to_get_one(copied: Path) -> None:
    (copied / "vocab.json").unlink()
    with pytest.raises(EngineUnavailable, match="no tokenizer can be read"):
        load(copied)
    with pytest.raises(EngineUnavailable, match="no tokenizer can be read"):
        load(copied, tokenizer="/nowhere")


def test_a_tokenizer_whose_words_are_marks_of_speech_is_refused(copied: Path) -> None:
    tree = json.loads((copied / "config.json").read_text()) | {"eos_token_id": 7}
    (copied / "config.json").unlink()
    (copied / "config.json").write_text(json.dumps(tree))
    with pytest.raises(EngineUnavailable, match="those of speech begin at 7"):
        load(copied)


def test_an_unknown_default_voice_is_refused(published: Path) -> None:
    assert load(published, default_voice=BOB).card.default_voice == BOB
    with pytest.raises(ConfigError, match="nobody"):
        load(published, default_voice="nobody")


def test_no_more_streams_are_let_in_than_there_is_memory_for(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(published)
    needed = engine.card.bytes_per_stream
    assert needed == engine._slots.bytes_per_stream
    kept = engine._slots.cache.bytes_per_slot * 4096 // 512
    monkeypatch.setattr(loading, "free_bytes", lambda device: int((2.5 * needed + kept) / 0.8))
    assert load(published).card.max_streams == 2
    monkeypatch.setattr(loading, "free_bytes", lambda device: int((0.5 * needed + kept) / 0.8))
    with pytest.raises(EngineUnavailable, match="not memory for one dialogue of 512 positions"):
        load(published)


def test_a_dialogue_has_no_more_positions_than_its_model(published: Path) -> None:
    engine = load(published, max_positions=65_536)
    assert engine._slots.n_positions == 2048


def test_its_card_needs_no_framework_and_fits_the_model() -> None:
    assert registry.card("vibevoice") is CARD
    full = loading.FULL.language_model
    per_position = 2 * 2 * loading.FULL.n_layers * full.num_key_value_heads * full.head_dim * 2
    assert CARD.bytes_per_stream == 16_384 * per_position
