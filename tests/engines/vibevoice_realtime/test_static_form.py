"""A frame in passes of fixed shape against a frame as it comes.

What a GPU would replay is replayed here from a recording on the CPU; capturing itself is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from capturing import every_pass
from listeners import FRAME_SAMPLES, TEXT, Listener, listen, mixed_requests, small_engine
from safetensors.torch import load_file

from engines.nn.recorded_graph import RecordingCapture
from ttsops.engines.nn.comparison import compare, compare_frames
from ttsops.engines.nn.cuda_graphs import GraphCache, Pass
from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.vibevoice_realtime.card import CARD, PUBLISHED_VOICES
from ttsops.engines.vibevoice_realtime.engine import RealtimeEngine
from ttsops.engines.vibevoice_realtime.generate import RaggedForm, StepForm
from ttsops.engines.vibevoice_realtime.golden_utterance import (
    AUDIO_TOLERANCE,
    FIRST_FRAME_TOLERANCE,
    EndOfRecording,
    RecordedCase,
)
from ttsops.engines.vibevoice_realtime.random_model import SMALL, random_model, random_voices
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.static_form import StaticForm
from ttsops.engines.vibevoice_realtime.static_passes import MAX_STEPS
from ttsops.speech import Samples, SpeechRequest
from ttsops.testing import speak

pytestmark = pytest.mark.unit

FIRST_ATOL, N_FIRST = 5e-6, 3 * FRAME_SAMPLES
"""Products and attention of other shapes round differently."""

ATOL = 1e-4
"""What they make is read again: under strong guidance it may double with every frame."""

GOLDEN = Path(__file__).parents[2] / "golden" / "vibevoice_realtime"
UTTERANCES = sorted(path.parent for path in GOLDEN.glob("*/meta.json") if "unit_" not in str(path))
N_STREAMS, N_POSITIONS = 6, 512


class Parts:
    """An engine over small random weights whose form can be looked into."""

    def __init__(self, capture: RecordingCapture | None = None, dtype: torch.dtype = torch.float32) -> None:
        self.model = random_model(SMALL, 0, dtype=dtype)
        self.slots = StreamSlots(self.model, N_STREAMS, N_POSITIONS)
        # From 64 positions on, so that a stream comes from one size into the next while it speaks.
        self.static = StaticForm(self.model, self.slots, GraphCache(capture), first_length=64)
        self.voices = random_voices(self.model, PUBLISHED_VOICES, 0)

    def engine(self, form: StepForm | None = None) -> RealtimeEngine:
        return RealtimeEngine(
            CARD, self.model, self.slots, HashedWords(512), self.voices, form or self.static
        )


def audience() -> list[Listener]:
    """Every kind of request; two leave, two take their places, one brings text by the word and is starved."""
    requests = mixed_requests()
    listeners = [Listener(request, joins_at=3 * i) for i, request in enumerate(requests)]
    listeners[4].request = replace(requests[4], text="", is_text_complete=False)
    listeners[4].pieces = [f"{word} " for word in requests[4].text.split(" ")]
    listeners[0].leaves_after = 9
    listeners[2].leaves_after = 4
    late = [replace(request, seed=90) for request in (requests[2], requests[1])]
    return [*listeners, Listener(late[0], joins_at=10), Listener(late[1], joins_at=12)]


def heard(engine: RealtimeEngine) -> list[Samples]:
    listeners = audience()
    listen(engine, listeners)
    return [one.samples for one in listeners]


def assert_near(found: Sequence[Samples], expected: Sequence[Samples]) -> None:
    assert [len(one) for one in found] == [len(one) for one in expected]
    assert all(len(one) for one in expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one[:N_FIRST], other[:N_FIRST], atol=FIRST_ATOL, rtol=0)
        np.testing.assert_allclose(one, other, atol=ATOL, rtol=0)


@pytest.fixture(scope="module")
def ragged() -> list[Samples]:
    parts = Parts()
    return heard(parts.engine(RaggedForm(parts.model, parts.slots)))


def test_both_forms_speak_alike_to_a_mixed_audience(ragged: list[Samples]) -> None:
    assert_near(heard(Parts().engine()), ragged)


def test_replayed_passes_speak_as_those_that_are_called(
    ragged: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = RecordingCapture()
    parts = Parts(capture)
    engine = parts.engine()
    engine.warm_up()
    n_sizes, n_lengths, n_steps = 4, 4, 3  # 1 2 4 6 streams; 64 128 256 512 positions; 5 10 20 steps
    assert capture.n_captured == n_sizes * (1 + n_steps + 2 * n_lengths)
    run, n_runs = parts.static.graphs.run, []

    def counted(function: Pass, *sizes: int) -> None:
        n_runs.append(sizes)
        run(function, *sizes)

    monkeypatch.setattr(parts.static.graphs, "run", counted)
    before = capture.n_replayed
    assert_near(heard(engine), ragged)
    assert capture.n_replayed - before == len(n_runs) > 100


def test_warming_up_changes_nothing_of_a_stream_that_speaks() -> None:
    parts = Parts()
    engine, request = parts.engine(), SpeechRequest(TEXT, seed=1)
    expected = speak(engine, request).samples
    utterance = engine.open(request)
    spoken = []
    while not (step := engine.step([utterance])[0]).is_done:
        spoken.append(step.samples)
        for work, sizes in every_pass(parts.static.passes, N_STREAMS):
            parts.static.passes.clear()
            work(*sizes)
    engine.close(utterance)
    assert np.array_equal(np.concatenate(spoken), expected)


def test_a_frame_that_is_thrown_away_does_not_shift_the_noise_of_the_next_context() -> None:
    request = SpeechRequest("Here are some forty characters precisely. " * 5, seed=5)
    both = [
        speak(small_engine(max_positions=160, step_form=form), request).samples
        for form in ("ragged", "static")
    ]
    assert_near(both[:1], both[1:])


def test_bf16_differs_between_the_forms_by_its_own_rounding_only() -> None:
    """As far as either is from fp32: the same roundings in another order."""
    halves = [Parts(dtype=torch.bfloat16) for _ in range(2)]
    request = SpeechRequest(TEXT, seed=2)
    exact = speak(Parts().engine(), request).samples
    one = speak(halves[0].engine(), request).samples
    other = speak(halves[1].engine(RaggedForm(halves[1].model, halves[1].slots)), request).samples
    assert len(one) == len(other) == len(exact)
    apart, off = (float(np.sqrt(np.mean((one - two) ** 2))) for two in (other, exact))
    loudness = float(np.sqrt(np.mean(exact**2)))
    assert 0 < apart < 0.02 * loudness
    assert 0 < off < 0.02 * loudness


def test_what_decides_is_fp32_in_bf16_too() -> None:
    parts = Parts(dtype=torch.bfloat16)
    assert parts.slots.latents.dtype == torch.float32
    assert parts.static.passes.numbers.device.dtype == torch.float32
    assert parts.model.eos(torch.zeros(1, 64, dtype=torch.bfloat16)).dtype == torch.float32
    assert parts.slots.speech.data.dtype == torch.bfloat16


def test_as_many_steps_fit_as_a_request_may_ask_for() -> None:
    assert next(option.maximum for option in CARD.options if option.name == "steps") == MAX_STEPS


# The recordings of the reference.


@pytest.mark.parametrize("folder", UTTERANCES, ids=lambda path: path.name)
@torch.inference_mode()
def test_recorded_utterances_are_reproduced(folder: Path) -> None:
    case = RecordedCase(folder, load_file(folder / "inputs.safetensors"))
    recorded = load_file(folder / "outputs.safetensors")
    slots, track = case.begin()
    form = StaticForm(case.model, slots, GraphCache(), first_length=32)
    latents, samples = [], []
    try:
        while not (outcome := form.advance([track])[0]).end:
            samples.append(torch.from_numpy(outcome.samples))
            latents.append(slots.latents[0].clone())
    except EndOfRecording:
        pass
    assert compare("waveform", torch.cat(samples), recorded["waveform"], AUDIO_TOLERANCE).ok
    n_frames = len(latents)
    assert n_frames > 1
    for one in compare_frames(
        "latent",
        torch.stack(latents),
        recorded["latent"][:n_frames],
        first=FIRST_FRAME_TOLERANCE,
        later=AUDIO_TOLERANCE,
    ):
        assert one.ok, one
