"""A step in passes of fixed shape against a step as it comes.

What a GPU would replay is replayed here from a recording on the CPU; capturing itself is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from dialogues import ATOL, Dialogue, mixed_dialogues, speak_together

from engines.nn.recorded_graph import RecordingCapture
from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.cuda_graphs import GraphCache
from ttsops.engines.vibevoice.card import CARD
from ttsops.engines.vibevoice.loading import create
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.random_model import SMALL, random_model
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.static_form import StaticForm
from ttsops.engines.vibevoice.static_passes import MAX_STEPS
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.testing import speak

pytestmark = pytest.mark.unit

N_STREAMS, N_POSITIONS, N_PROMPT_ROWS = 5, 252, 16


def audience(model: VibeVoiceModel) -> list[Dialogue]:
    """Dialogues with settings of their own; two come later, one leaves early and another takes its place."""
    dialogues = [*mixed_dialogues(model), mixed_dialogues(model)[1]]
    for one, joins_at in zip(dialogues, (0, 0, 3, 4, 5, 20), strict=True):
        one.joins_at = joins_at
    dialogues[0].leaves_after = 14
    return dialogues


def static_form(
    model: VibeVoiceModel, slots: DialogueSlots, capture: RecordingCapture | None = None
) -> StaticForm:
    """From 64 positions on, so that a dialogue comes from one size into the next while it speaks."""
    return StaticForm(model, slots, GraphCache(capture), first_length=64, n_prompt_rows=N_PROMPT_ROWS)


def assert_alike(found: Sequence[Dialogue], expected: Sequence[Dialogue]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.tokens == other.tokens
        assert len(one.samples)
        np.testing.assert_allclose(one.samples, other.samples, atol=ATOL, rtol=0)


@pytest.fixture(scope="module")
def ragged(model: VibeVoiceModel) -> list[Dialogue]:
    dialogues = audience(model)
    speak_together(model, DialogueSlots(model, N_STREAMS, N_POSITIONS), dialogues, N_PROMPT_ROWS)
    return dialogues


def test_both_forms_speak_alike_to_a_mixed_audience(
    model: VibeVoiceModel, ragged: Sequence[Dialogue]
) -> None:
    slots = DialogueSlots(model, N_STREAMS, N_POSITIONS)
    dialogues = audience(model)
    speak_together(model, slots, dialogues, N_PROMPT_ROWS, static_form(model, slots))
    assert_alike(dialogues, ragged)
    assert {"audio", "audio_eos", "audio_bos"} <= {token for one in dialogues for token in one.tokens}


def test_replayed_passes_speak_as_those_that_are_called(
    model: VibeVoiceModel, ragged: Sequence[Dialogue]
) -> None:
    capture = RecordingCapture()
    slots = DialogueSlots(model, N_STREAMS, N_POSITIONS)
    form = static_form(model, slots, capture)
    form.warm_up()
    n_sizes, n_lengths, n_steps = 4, 3, 5  # 1 2 4 5 dialogues; 64 128 256 positions; 5 10 20 40 50 steps
    assert capture.n_captured == n_sizes * (2 + n_steps + n_lengths)
    dialogues = audience(model)
    speak_together(model, slots, dialogues, N_PROMPT_ROWS, form)
    assert_alike(dialogues, ragged)
    assert capture.n_replayed > 100


def test_warming_up_changes_nothing_of_a_dialogue_that_speaks(model: VibeVoiceModel) -> None:
    def heard(*, is_disturbed: bool) -> list[bytes]:
        slots = DialogueSlots(model, N_STREAMS, N_POSITIONS)
        form = static_form(model, slots)
        track = mixed_dialogues(model)[0].join(model, slots)
        samples = []
        while not (outcome := form.advance([track])[0]).end:
            samples.append(outcome.samples.tobytes())
            if is_disturbed:
                form.passes.clear()
                for one, sizes in (
                    ("listen", (4,)),
                    ("read", (4, 64)),
                    ("denoise", (2, 5)),
                    ("decode", (4,)),
                ):
                    getattr(form.passes, one)(*sizes)
        return samples

    assert heard(is_disturbed=True) == heard(is_disturbed=False)


def test_bf16_begins_as_fp32_does(model: VibeVoiceModel) -> None:
    half = random_model(SMALL, 0, dtype=torch.bfloat16)
    found = []
    for one in (model, half):
        slots = DialogueSlots(one, N_STREAMS, N_POSITIONS)
        dialogue = mixed_dialogues(one)[3]
        speak_together(one, slots, [dialogue], N_PROMPT_ROWS, static_form(one, slots))
        found.append(dialogue.samples[:3200])
    assert np.isfinite(found[1]).all()
    assert np.linalg.norm(found[1] - found[0]) < 0.05 * np.linalg.norm(found[0])


def test_the_engine_speaks_alike_in_both_forms() -> None:
    def heard(form: str) -> np.ndarray:
        options: dict[str, OptionValue] = {"random_weights": "small", "max_positions": 256, "step_form": form}
        engine = create(EngineConfig(device="cpu", max_streams=2, options=options))
        return speak(engine, SpeechRequest("The first bus leaves at seven.", seed=1)).samples

    np.testing.assert_allclose(heard("static"), heard("ragged"), atol=ATOL, rtol=0)


def test_as_many_steps_fit_as_a_request_may_ask_for() -> None:
    assert next(option.maximum for option in CARD.options if option.name == "steps") == MAX_STEPS
