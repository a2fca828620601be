"""A dialogue that is stopped, kept and gone on with gives the same samples as one that never was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from dialogues import Dialogue, mixed_dialogues, speak
from safetensors.torch import load_file, save_file

from ttsops.engines.vibevoice.generate import advance
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track_state import (
    NEGATIVE,
    POSITIVE,
    join_positions,
    restore_track,
    save_track,
)

pytestmark = pytest.mark.unit

N_POSITIONS = 256


def step(model: VibeVoiceModel, slots: DialogueSlots, dialogue: Dialogue, n_steps: int) -> None:
    assert dialogue.track is not None
    for _ in range(n_steps):
        dialogue.outcomes += advance(model, slots, [dialogue.track], n_prompt_rows=16)


@pytest.fixture(scope="module")
def uninterrupted(model: VibeVoiceModel) -> Dialogue:
    return speak(model, DialogueSlots(model, 1, N_POSITIONS), mixed_dialogues(model)[0], n_prompt_rows=16)


@pytest.mark.parametrize("n_steps", [2, 7, 12, 19])
def test_resumed_equals_uninterrupted_to_the_bit(
    model: VibeVoiceModel, uninterrupted: Dialogue, n_steps: int, tmp_path: Path
) -> None:
    """Stopped while its prompt is read, and while it speaks; gone on with in another slot of other memory."""
    stopped, resumed = mixed_dialogues(model)[0], mixed_dialogues(model)[0]
    slots = DialogueSlots(model, 1, N_POSITIONS)
    save_file(save_track(slots, stopped.join(model, slots)), tmp_path / "unused.safetensors")
    step(model, slots, stopped, n_steps)
    assert stopped.track is not None
    save_file(save_track(slots, stopped.track), tmp_path / "state.safetensors")
    other = DialogueSlots(model, 3, N_POSITIONS)
    speak(model, other, mixed_dialogues(model)[1])
    for _ in range(2):
        other.take()
    restore_track(other, resumed.join(model, other), load_file(tmp_path / "state.safetensors"))
    resumed.outcomes = stopped.outcomes
    speak(model, other, resumed, n_prompt_rows=16)
    assert resumed.tokens == uninterrupted.tokens
    assert np.array_equal(resumed.samples, uninterrupted.samples)


def test_the_cache_is_saved_piece_by_piece(model: VibeVoiceModel) -> None:
    dialogue, slots = mixed_dialogues(model)[0], DialogueSlots(model, 1, N_POSITIONS)
    track = dialogue.join(model, slots)
    step(model, slots, dialogue, 9)
    earlier, position = save_track(slots, track), track.position
    step(model, slots, dialogue, 6)
    later, whole = save_track(slots, track, since=position), save_track(slots, track)
    assert later[POSITIVE].shape[3] == 6
    assert torch.equal(join_positions(earlier[POSITIVE], later[POSITIVE]), whole[POSITIVE])


def test_after_a_mark_that_speech_begins_little_but_new_positions_is_saved(model: VibeVoiceModel) -> None:
    dialogue, slots = mixed_dialogues(model)[0], DialogueSlots(model, 1, N_POSITIONS)
    track = dialogue.join(model, slots)
    while "audio_bos" not in dialogue.tokens:
        step(model, slots, dialogue, 1)
    state = save_track(slots, track, since=track.position - 1)
    assert state[NEGATIVE].numel() == 0
    assert not any(tensor.any() for name, tensor in state.items() if name.startswith(("decoder", "listener")))


def test_a_state_of_another_model_or_with_a_piece_missing_is_refused(model: VibeVoiceModel) -> None:
    dialogue, slots = mixed_dialogues(model)[0], DialogueSlots(model, 1, N_POSITIONS)
    track = dialogue.join(model, slots)
    step(model, slots, dialogue, 9)
    state = save_track(slots, track)
    with pytest.raises(ValueError, match="`positive` of the saved dialogue"):
        restore_track(slots, track, state | {POSITIVE: state[POSITIVE][:, :, :, 1:]})
    with pytest.raises(ValueError, match=r"`decoder\.0` of the saved dialogue"):
        restore_track(slots, track, state | {"decoder.0": state["decoder.0"][1:]})
