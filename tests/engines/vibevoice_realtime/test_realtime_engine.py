"""The engine over small random weights, in both forms of a step: what one hears depends on nobody else."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from listeners import ATOL, FRAME_SAMPLES, TEXT, Listener, listen, mixed_requests, small_engine

from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice_realtime.card import CARD, PUBLISHED_VOICES
from ttsops.engines.vibevoice_realtime.engine import RealtimeEngine
from ttsops.engines.vibevoice_realtime.model import EOS_PREFIX, RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import SMALL, random_model, random_voices
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.track import FRAMES_PER_TOKEN, TAIL_FRAMES
from ttsops.engines.vibevoice_realtime.utterance import FADE_SAMPLES
from ttsops.engines.vibevoice_realtime.windows import SPEECH_WINDOW
from ttsops.errors import EmptyText, NoEos, Overloaded, UnknownVoice
from ttsops.speech import SpeechRequest
from ttsops.testing import check_engine, speak, speak_together

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module", params=["ragged", "static"])
def step_form(request: pytest.FixtureRequest) -> str:
    form: str = request.param
    return form


@pytest.fixture(scope="module")
def engine(step_form: str) -> RealtimeEngine:
    return small_engine(step_form=step_form)


def test_it_keeps_the_contract(step_form: str) -> None:
    report = check_engine(partial(small_engine, step_form=step_form))
    assert report.is_passed, str(report)


def test_a_mixed_batch_with_joins_and_leaves_equals_everybody_alone(engine: RealtimeEngine) -> None:
    requests = mixed_requests()
    alone = [speak(engine, request).samples for request in requests]
    listeners = [Listener(request, joins_at=3 * i) for i, request in enumerate(requests)]
    words = requests[4].text.split(" ")
    listeners[4].request = replace(requests[4], text="", is_text_complete=False)
    listeners[4].pieces = [f"{word} " for word in words]
    listen(engine, listeners)
    for expected, one in zip(alone, listeners, strict=True):
        np.testing.assert_allclose(one.samples, expected, atol=ATOL, rtol=0)


def test_whoever_leaves_half_way_changes_nothing_for_the_others(engine: RealtimeEngine) -> None:
    requests = mixed_requests()[:3]
    alone = [speak(engine, request).samples for request in requests]
    listeners = [Listener(request) for request in requests]
    listeners[1].leaves_after = 5
    late = Listener(replace(requests[1], seed=99), joins_at=7)
    listen(engine, [*listeners, late])
    for i in (0, 2):
        np.testing.assert_allclose(listeners[i].samples, alone[i], atol=ATOL, rtol=0)
    assert len(listeners[1].samples) == 5 * FRAME_SAMPLES
    again = speak(engine, late.request).samples
    np.testing.assert_allclose(late.samples, again, atol=ATOL, rtol=0)


@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_text_in_pieces_is_spoken_bit_for_bit_as_the_whole(engine: RealtimeEngine, size: int) -> None:
    request = SpeechRequest(f"  {TEXT}  ", seed=3)
    whole = speak(engine, request).samples
    pieces = [request.text[at : at + size] for at in range(0, len(request.text), size)]
    assert np.array_equal(speak(engine, request, pieces=pieces).samples, whole)
    words = [f"{word} " for word in TEXT.split()]
    assert np.array_equal(speak(engine, request, pieces=words).samples, whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"voice": "en-Mike_man"},
        {"seed": 4},
        {"options": {"steps": 6}},
        {"options": {"cfg_scale": 1.0}},
        {"options": {"solver": "dpmsolver++"}},
        {"options": {"temperature": 0.9}},
        {"text": f"A{TEXT[1:]}"},
    ],
    ids=str,
)
def test_everything_a_request_says_is_heard(engine: RealtimeEngine, changes: dict[str, object]) -> None:
    request = SpeechRequest(TEXT, voice="en-Emma_woman", seed=3)
    changed = replace(request, **changes)  # type: ignore[arg-type]
    one, other = speak(engine, request).samples, speak(engine, changed).samples
    n_both = min(len(one), len(other))
    assert np.abs(one[:n_both] - other[:n_both]).max() > 1e-3


def test_a_fresh_seed_is_drawn_if_none_is_given(engine: RealtimeEngine) -> None:
    one, other = (speak(engine, SpeechRequest("No.")).samples for _ in range(2))
    assert not np.array_equal(one, other)


def test_an_utterance_waits_between_windows_and_within_none(engine: RealtimeEngine) -> None:
    utterance = engine.open(SpeechRequest("one two three four five six", is_text_complete=False, seed=0))
    steps = [engine.step([utterance])[0] for _ in range(SPEECH_WINDOW + 1)]
    assert [len(step.samples) for step in steps] == [FRAME_SAMPLES] * SPEECH_WINDOW + [0]
    assert [step.needs_text for step in steps] == [False] * SPEECH_WINDOW + [True]
    engine.append(utterance, " seven eight nine ten eleven")
    assert len(engine.step([utterance])[0].samples) == FRAME_SAMPLES
    engine.close(utterance)


def test_an_early_end_is_not_believed_while_text_is_unread(engine: RealtimeEngine) -> None:
    """The published code stops there and loses words. Random weights say `end` after every frame."""
    text = "one two three four five six seven eight nine ten eleven"
    n_tokens = len(HashedWords(100).encode(f"{text}\n"))
    assert n_tokens == 12
    assert len(speak(engine, SpeechRequest(text, seed=0)).samples) == (2 * SPEECH_WINDOW + 1) * FRAME_SAMPLES


def test_nothing_follows_the_frame_at_which_speech_ended(engine: RealtimeEngine) -> None:
    """The published code computes on to the end of the window."""
    spoken = speak(engine, SpeechRequest("one two three", seed=0))
    assert len(spoken.samples) == FRAME_SAMPLES
    assert spoken.n_steps == 2


def test_every_slot_can_be_taken_and_is_free_after_close(engine: RealtimeEngine) -> None:
    request = SpeechRequest(TEXT)
    opened = [engine.open(request) for _ in range(engine.card.max_streams)]
    with pytest.raises(Overloaded):
        engine.open(request)
    engine.step(opened)
    for utterance in opened:
        engine.close(utterance)
        engine.close(utterance)  # twice does no harm
    again = [engine.open(request) for _ in range(engine.card.max_streams)]
    for utterance in again:
        engine.close(utterance)


def test_a_slot_that_somebody_left_half_way_is_as_good_as_new(engine: RealtimeEngine) -> None:
    request = SpeechRequest(TEXT, seed=1)
    expected = speak(engine, request).samples
    for _ in range(engine.card.max_streams):
        left = engine.open(replace(request, voice="en-Davis_man", seed=2))
        engine.step([left])
        engine.close(left)
        assert np.array_equal(speak(engine, request).samples, expected)


def test_what_cannot_be_opened_says_why_and_takes_no_slot(engine: RealtimeEngine) -> None:
    for _ in range(2 * engine.card.max_streams):
        with pytest.raises(UnknownVoice, match="nobody"):
            engine.open(SpeechRequest(TEXT, voice="nobody"))
        with pytest.raises(EmptyText):
            engine.open(SpeechRequest(" \n"))
    engine.close(engine.open(SpeechRequest(TEXT)))


def test_warming_up_leaves_every_slot_free(engine: RealtimeEngine) -> None:
    engine.warm_up()
    opened = [engine.open(SpeechRequest(TEXT)) for _ in range(engine.card.max_streams)]
    for utterance in opened:
        engine.close(utterance)


def test_a_batch_may_be_empty(engine: RealtimeEngine) -> None:
    assert engine.step([]) == []


# Texts longer than a context.

SENTENCE = "Here are some forty characters precisely. "


@pytest.fixture(scope="module")
def short_contexts(step_form: str) -> RealtimeEngine:
    """160 positions: a voice of 60, and room for about 75 characters."""
    return small_engine(max_positions=160, step_form=step_form)


def test_a_long_text_goes_on_in_the_next_context(short_contexts: RealtimeEngine) -> None:
    one, three = (speak(short_contexts, SpeechRequest(SENTENCE * n, seed=5)).samples for n in (2, 6))
    assert len(three) == 3 * len(one) - 2 * FADE_SAMPLES
    n_untouched = len(one) - FADE_SAMPLES
    assert np.array_equal(three[:n_untouched], one[:n_untouched])


def test_contexts_do_not_depend_on_how_text_arrives(short_contexts: RealtimeEngine) -> None:
    request = SpeechRequest(SENTENCE * 5, seed=5)
    whole = speak(short_contexts, request).samples
    assert np.array_equal(speak(short_contexts, request, pieces=list(request.text)).samples, whole)
    other = replace(request, seed=6, voice="en-Mike_man")
    for spoken, expected in zip(
        speak_together(short_contexts, [request, other]),
        (whole, speak(short_contexts, other).samples),
        strict=True,
    ):
        np.testing.assert_allclose(spoken.samples, expected, atol=ATOL, rtol=0)


def test_contexts_are_cross_faded(short_contexts: RealtimeEngine) -> None:
    """No step at the seam is larger than those around it."""
    samples = speak(short_contexts, SpeechRequest(SENTENCE * 4, seed=5)).samples
    seam = (len(samples) + FADE_SAMPLES) // 2
    steps = np.abs(np.diff(samples))
    assert steps[seam - FADE_SAMPLES - 10 : seam + 10].max() <= steps.max()
    assert len(samples) % FRAME_SAMPLES == FRAME_SAMPLES - FADE_SAMPLES


# Models that never end.


def endless_engine(max_positions: int = 512) -> RealtimeEngine:
    weights = RandomWeights(
        0,
        {
            "model.speech_scaling_factor": 1.0,
            "model.speech_bias_factor": 0.0,
            f"{EOS_PREFIX}.fc2.weight": 0.0,
            f"{EOS_PREFIX}.fc2.bias": -1.0,
        },
        gain=0.5,
    )
    model = RealtimeModel(weights, SMALL)
    voices = random_voices(model, PUBLISHED_VOICES, 0)
    return RealtimeEngine(CARD, model, StreamSlots(model, 2, max_positions), HashedWords(512), voices)


def test_speech_out_of_all_proportion_to_its_text_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    engine = endless_engine()
    utterance = engine.open(SpeechRequest("one two three", seed=0))
    steps = [engine.step([utterance])[0] for _ in range(4 * FRAMES_PER_TOKEN + TAIL_FRAMES)]
    assert all(len(step.samples) == FRAME_SAMPLES for step in steps)
    assert isinstance(engine.step([utterance])[0].error, NoEos)
    assert "no end of speech after 69 frames" in caplog.text


def test_a_full_context_is_announced_and_then_ended(caplog: pytest.LogCaptureFixture) -> None:
    engine = endless_engine(max_positions=100)
    utterance = engine.open(SpeechRequest("one two three", seed=0))
    n_frames = 100 - 60 - 4 + 1  # behind the voice and the text; the last frame is never read
    with caplog.at_level(logging.WARNING):
        steps = [engine.step([utterance])[0] for _ in range(n_frames)]
        assert not any(step.error for step in steps)
        assert caplog.text.count("nearly full") == 1
        assert isinstance(engine.step([utterance])[0].error, NoEos)


def test_a_context_without_an_end_does_not_stop_the_next() -> None:
    engine = endless_engine(max_positions=160)
    spoken = 0
    utterance = engine.open(SpeechRequest(SENTENCE * 4, seed=0))
    while not (step := engine.step([utterance])[0]).error:
        spoken += len(step.samples)
    per_context = 160 - 60 - len(HashedWords(512).encode(SENTENCE * 2 + "\n")) + 2
    assert spoken >= (2 * per_context - 4) * FRAME_SAMPLES - FADE_SAMPLES


def test_random_voices_differ() -> None:
    voices = random_voices(random_model(SMALL, 0), ("a", "b"), 0)
    assert not np.array_equal(voices["a"][1].speech, voices["b"][1].speech)
