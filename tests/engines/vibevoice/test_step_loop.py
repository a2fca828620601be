"""The step loop over small random weights: what one hears depends on nobody else, and on no schedule."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dialogues import ATOL, HOP, mixed_dialogues, speak, speak_together

from ttsops.engines.nn.few_rows import pack
from ttsops.engines.vibevoice.generate import PROMPT_ROWS, advance
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.prefix import read_prefix
from ttsops.engines.vibevoice.random_model import SMALL, random_model
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.errors import Overloaded, TextTooLong

pytestmark = pytest.mark.unit

N_POSITIONS = 256


@pytest.fixture
def slots(model: VibeVoiceModel) -> DialogueSlots:
    return DialogueSlots(model, 5, N_POSITIONS)


@pytest.mark.parametrize("n_prompt_rows", [PROMPT_ROWS, 7])
def test_a_mixed_batch_with_joins_and_leaves_equals_everybody_alone(
    model: VibeVoiceModel, slots: DialogueSlots, n_prompt_rows: int
) -> None:
    alone = [speak(model, slots, one) for one in mixed_dialogues(model)]
    together = mixed_dialogues(model)
    for i, one in enumerate(together):
        one.joins_at = 3 * i
    together[1].leaves_after = 12
    speak_together(model, slots, together, n_prompt_rows)
    for expected, one in zip(alone, together, strict=True):
        assert one.tokens == expected.tokens[: len(one.tokens)]
        np.testing.assert_allclose(one.samples, expected.samples[: len(one.samples)], atol=ATOL, rtol=0)
    assert [len(one.tokens) for one in together[::2]] == [len(one.tokens) for one in alone[::2]]
    marks = {token for one in alone for token in one.tokens}
    assert {"audio", "audio_bos", "audio_eos"} <= marks, "the proof is empty without pauses"


def test_a_slot_remembers_nothing_of_who_was_there_before(model: VibeVoiceModel) -> None:
    first, second, *_ = mixed_dialogues(model)
    fresh = speak(model, DialogueSlots(model, 1, N_POSITIONS), second).samples
    used = DialogueSlots(model, 1, N_POSITIONS)
    speak(model, used, first)
    again = mixed_dialogues(model)[1]
    assert np.array_equal(speak(model, used, again).samples, fresh)


def test_each_frame_is_3200_samples_and_each_mark_none(model: VibeVoiceModel, slots: DialogueSlots) -> None:
    dialogue = speak(model, slots, mixed_dialogues(model)[0])
    for outcome in dialogue.outcomes:
        assert len(outcome.samples) == (HOP if outcome.token == "audio" else 0)
        assert np.isfinite(outcome.samples).all()
    assert dialogue.track is not None
    assert dialogue.track.n_frames == dialogue.tokens.count("audio")


def test_a_long_prompt_is_read_in_pieces_and_nothing_is_chosen_before_its_end(
    model: VibeVoiceModel, slots: DialogueSlots
) -> None:
    dialogue = mixed_dialogues(model)[2]
    n_pieces = -(-len(dialogue.prompt(model).ids) // 16)
    speak(model, slots, dialogue, n_prompt_rows=16)
    tokens = [one.token for one in dialogue.outcomes]
    assert tokens[: n_pieces - 1] == [None] * (n_pieces - 1)
    assert tokens[n_pieces - 1] is not None


def test_a_prefix_read_once_gives_the_same_speech(model: VibeVoiceModel, slots: DialogueSlots) -> None:
    expected = speak(model, slots, mixed_dialogues(model)[0])
    dialogue = mixed_dialogues(model)[0]
    prompt = dialogue.prompt(model)
    prefix = read_prefix(model, prompt.prefix, torch.cat(list(dialogue.voices)), n_prompt_rows=10)
    assert prefix.shape[3] == prompt.n_prefix
    assert model.config.tokens.audio not in prompt.ids[prompt.n_prefix :]
    dialogue.join(model, slots, prefix)
    speak(model, slots, dialogue)
    assert dialogue.tokens == expected.tokens
    np.testing.assert_allclose(dialogue.samples, expected.samples, atol=ATOL, rtol=0)


def test_a_prefix_of_other_voices_is_refused(model: VibeVoiceModel, slots: DialogueSlots) -> None:
    one, other, *_ = mixed_dialogues(model)
    prefix = read_prefix(model, one.prompt(model).prefix, torch.cat(list(one.voices)))
    with pytest.raises(ValueError, match="prefix"):
        other.join(model, slots, prefix)


def test_a_prompt_that_leaves_no_place_for_speech_is_refused(model: VibeVoiceModel) -> None:
    dialogue = mixed_dialogues(model)[0]
    n_ids = len(dialogue.prompt(model).ids)
    with pytest.raises(TextTooLong, match=f"{n_ids} positions of {n_ids - 1}"):
        dialogue.join(model, DialogueSlots(model, 1, n_ids - 1))


def test_half_precision_begins_as_fp32_does(model: VibeVoiceModel) -> None:
    half = random_model(SMALL, 0, dtype=torch.bfloat16)
    expected = speak(model, DialogueSlots(model, 1, N_POSITIONS), mixed_dialogues(model)[3]).samples
    found = speak(half, DialogueSlots(half, 1, N_POSITIONS), mixed_dialogues(half)[3]).samples
    assert np.isfinite(found).all()
    error = np.linalg.norm(found[:HOP] - expected[:HOP]) / np.linalg.norm(expected[:HOP])
    assert error < 0.05


def test_voices_that_do_not_fill_their_places_are_refused(
    model: VibeVoiceModel, slots: DialogueSlots
) -> None:
    dialogue = mixed_dialogues(model)[0]
    track = dialogue.join(model, slots)
    assert track.voices is not None
    track.voices = track.voices[:-1]
    with pytest.raises(ValueError, match="frames of voices"):
        advance(model, slots, [track])


def test_tokens_are_bounded_by_leave_and_by_positions(model: VibeVoiceModel) -> None:
    dialogue = speak(model, DialogueSlots(model, 1, N_POSITIONS), mixed_dialogues(model)[0])
    assert (dialogue.outcomes[-1].end, dialogue.outcomes[-1].token) == ("length", None)
    assert len(dialogue.tokens) == dialogue.max_tokens
    cramped = mixed_dialogues(model)[0]
    n_prompt = len(cramped.prompt(model).ids)
    speak(model, DialogueSlots(model, 1, n_prompt + 4), cramped)
    assert cramped.tokens == dialogue.tokens[:5]
    assert cramped.outcomes[-1].end == "length"


def test_an_end_is_chosen_and_said(model: VibeVoiceModel) -> None:
    """Where speech pauses, an end is preferred to another beginning."""
    ending = random_model(SMALL, 0)
    assert ending.choices.bias is not None
    ending.choices.bias[0] += 4
    dialogue = mixed_dialogues(ending)[0]
    speak(ending, DialogueSlots(ending, 1, N_POSITIONS), dialogue)
    assert (dialogue.outcomes[-1].end, dialogue.outcomes[-1].token) == ("eos", "eos")
    assert dialogue.tokens[-2] == "audio_eos"
    assert len(dialogue.outcomes[-1].samples) == 0


@pytest.mark.parametrize("changed", [{"seed": 9}, {"n_steps": 7}, {"cfg_scale": 2.5}, {"script": "Other."}])
def test_everything_that_is_asked_for_is_heard(
    model: VibeVoiceModel, slots: DialogueSlots, changed: dict[str, object]
) -> None:
    one, other = mixed_dialogues(model)[0], mixed_dialogues(model)[0]
    for name, value in changed.items():
        setattr(other, name, value)
    heard = [speak(model, slots, dialogue).samples for dialogue in (one, other)]
    n_both = min(map(len, heard))
    assert np.abs(heard[0][:n_both] - heard[1][:n_both]).max() > 1e-3


def test_another_voice_is_heard(model: VibeVoiceModel, slots: DialogueSlots) -> None:
    one, other = mixed_dialogues(model)[0], mixed_dialogues(model)[0]
    other.voices = other.voices[::-1]
    heard = [speak(model, slots, dialogue).samples[:HOP] for dialogue in (one, other)]
    assert np.abs(heard[0] - heard[1]).max() > 1e-3


def test_without_guidance_the_negative_branch_is_not_computed(
    model: VibeVoiceModel, slots: DialogueSlots
) -> None:
    dialogue = mixed_dialogues(model)[2]
    track = dialogue.join(model, slots)
    speak(model, slots, dialogue)
    assert track.negative_position == 0
    assert not slots.cache.data[:, :, slots.negative(track.slot)].any()


def test_packed_layers_say_the_same(model: VibeVoiceModel, slots: DialogueSlots) -> None:
    packed = random_model(SMALL, 0, layer=pack)
    expected = speak(model, slots, mixed_dialogues(model)[0])
    found = speak(packed, DialogueSlots(packed, 1, N_POSITIONS), mixed_dialogues(packed)[0])
    assert found.tokens == expected.tokens
    np.testing.assert_allclose(found.samples, expected.samples, atol=1e-3, rtol=0)


def test_slots_are_counted(model: VibeVoiceModel) -> None:
    slots = DialogueSlots(model, 1, N_POSITIONS)
    slots.take()
    with pytest.raises(Overloaded):
        slots.take()
    sizes = model.config.language_model
    cache = 2 * 2 * model.config.n_layers * sizes.num_key_value_heads * sizes.head_dim * N_POSITIONS * 4
    assert cache < slots.bytes_per_stream < cache + 64_000
