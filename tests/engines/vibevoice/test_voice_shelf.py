"""Voices and prefixes are kept within bounds, and never those of a recording that was replaced."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pytest
import torch
from dialogues import recording

from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.vibevoice import shelf as shelf_module
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.pieces import Gradual, Pieces, finish
from ttsops.engines.vibevoice.shelf import Prefix, VoiceShelf
from ttsops.errors import UnknownVoice, VoiceNotFound
from ttsops.speech import Samples, Voice

pytestmark = pytest.mark.unit

LINES = [(0, "Good morning.")]


class Drawer:
    """Recordings that can be replaced; counts how often each was read."""

    def __init__(self) -> None:
        self.kept = dict.fromkeys(("alice", "bob", "carl"), 0)
        self.read: list[str] = []

    def voices(self) -> Sequence[Voice]:
        return [Voice(name, name) for name in self.kept]

    def generation(self, voice_id: str) -> Hashable:
        if voice_id not in self.kept:
            raise VoiceNotFound(f"no voice `{voice_id}`", param="voice")
        return self.kept[voice_id]

    def recording(self, voice_id: str) -> Samples:
        self.read.append(voice_id)
        return recording(self.kept[voice_id], 32_000)


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def shelf(model: VibeVoiceModel, drawer: Drawer) -> VoiceShelf:
    return VoiceShelf(model, HashedWords(model.config.tokens.eos), drawer)


@torch.inference_mode()
def complete(prefix: Prefix) -> torch.Tensor:
    while not prefix.memory.is_done:
        prefix.memory.advance()
    return prefix.memory.result


def prefix_of(shelf: VoiceShelf, *voices: str) -> Prefix:
    return shelf.prompt(LINES, voices)[1]


def test_what_was_made_is_kept(shelf: VoiceShelf, drawer: Drawer) -> None:
    assert prefix_of(shelf, "alice") is prefix_of(shelf, "alice")
    assert prefix_of(shelf, "alice", "bob") is not prefix_of(shelf, "bob", "alice")
    assert drawer.read == ["alice", "bob"], "a voice is heard once, whoever it speaks with"


def test_a_replaced_recording_is_heard_and_its_prefixes_are_gone(shelf: VoiceShelf, drawer: Drawer) -> None:
    before = prefix_of(shelf, "alice", "bob")
    both = complete(before)
    drawer.kept["alice"] = 1
    after = prefix_of(shelf, "alice", "bob")
    assert (complete(after) - both).abs().max() > 1e-3
    assert shelf.n_positions == after.n_positions, "the old one is not kept beside it"
    assert drawer.read == ["alice", "bob", "alice"]


def test_a_voice_that_is_gone_is_unknown_and_forgotten(shelf: VoiceShelf, drawer: Drawer) -> None:
    prefix_of(shelf, "alice", "bob")
    del drawer.kept["bob"]
    with pytest.raises(UnknownVoice, match="bob"):
        prefix_of(shelf, "bob")
    assert shelf.n_positions == 0
    assert [name for name, _ in shelf._heard] == ["alice"]


def test_what_was_not_asked_for_the_longest_goes_first(model: VibeVoiceModel, drawer: Drawer) -> None:
    tokenizer = HashedWords(model.config.tokens.eos)
    n_each = prefix_of(VoiceShelf(model, tokenizer, drawer), "alice").n_positions
    shelf = VoiceShelf(model, tokenizer, drawer, max_prefix_positions=2 * n_each)
    alice, bob = prefix_of(shelf, "alice"), prefix_of(shelf, "bob")
    assert prefix_of(shelf, "alice") is alice
    prefix_of(shelf, "carl")
    assert shelf.n_positions <= 2 * n_each
    assert prefix_of(shelf, "alice") is alice
    assert prefix_of(shelf, "bob") is not bob


def test_a_prefix_larger_than_the_bound_can_still_be_spoken_with(
    model: VibeVoiceModel, drawer: Drawer
) -> None:
    shelf = VoiceShelf(model, HashedWords(model.config.tokens.eos), drawer, max_prefix_positions=1)
    one = prefix_of(shelf, "alice")
    assert complete(one).shape[3] == one.n_positions == shelf.n_positions


def test_no_more_voices_are_kept_than_there_is_room_for(
    shelf: VoiceShelf, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "MAX_VOICES", 2)
    for name in ("alice", "bob", "carl"):
        prefix_of(shelf, name)
    assert [name for name, _ in shelf._heard] == ["bob", "carl"]


def _counting(log: list[int]) -> Pieces:
    for number in range(3):
        log.append(number)
        yield
    return torch.ones(1)


def test_a_gradual_tensor_is_made_once_a_piece_at_a_time() -> None:
    log: list[int] = []
    made = Gradual(_counting(log))
    made.advance()
    assert (log, made.is_done) == ([0], False)
    for _ in range(9):
        made.advance()
    assert (log, made.is_done) == ([0, 1, 2], True)
    assert torch.equal(made.result, finish(_counting([])))


def test_work_that_failed_does_not_pretend_to_go_on() -> None:
    def failing() -> Pieces:
        yield
        raise MemoryError

    made = Gradual(failing())
    made.advance()
    with pytest.raises(MemoryError):
        made.advance()
    with pytest.raises(RuntimeError, match="failed before"):
        made.advance()
