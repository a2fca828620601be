"""What is noticed in speech while it is made, and that it is made again from the right place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dialogues import mixed_dialogues

from ttsops.audio import decode_audio, resample
from ttsops.engines.contract import EngineConfig, Fault
from ttsops.engines.vibevoice import guard
from ttsops.engines.vibevoice.engine import VibeVoiceEngine
from ttsops.engines.vibevoice.generate import advance
from ttsops.engines.vibevoice.guard import (
    MAX_FIRST_SILENCE_FRAMES,
    MAX_NOISE_FRAMES,
    MAX_SILENCE_FRAMES,
    Guarding,
    Sound,
    Watch,
    sound_of,
)
from ttsops.engines.vibevoice.loading import create
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.place import go_back, go_to_beginning, keep_place
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.errors import NoSpeech, TtsOpsError
from ttsops.speech import OptionValue, Samples, SpeechRequest

pytestmark = pytest.mark.unit

HOP = 3200
VOICES = Path(__file__).parents[2] / "golden" / "voices"
TEXT = "The first bus leaves at seven, and the second one an hour later."
SPEECH_LEVEL = 10 ** (-25 / 20)


def frames_of(samples: Samples) -> list[Samples]:
    return [samples[i : i + HOP] for i in range(0, len(samples) - HOP, HOP)]


# ---- what a frame is -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["en-Alice_woman", "en-Frank_man"])
def test_people_are_never_in_doubt_for_long(name: str) -> None:
    samples = resample(*decode_audio(VOICES / f"{name}.ogg"), 24_000)
    samples *= SPEECH_LEVEL / np.sqrt(np.mean(samples**2))
    watch = Watch("live", len(samples) / HOP, n_tries_left=2)
    assert "again" not in [watch.take(frame) for frame in frames_of(samples)]
    assert watch.has_spoken
    assert watch.taken_faults() == ()


def test_noise_and_silence_are_told_from_a_hum() -> None:
    time = np.arange(HOP) / 24_000
    noise = np.random.default_rng(0).standard_normal(HOP)
    assert sound_of((0.1 * noise).astype(np.float32)) == "noise"
    assert sound_of((1e-3 * noise).astype(np.float32)) == "silence"
    assert sound_of((0.1 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)) == "speech"
    assert sound_of(np.zeros(HOP, np.float32)) == "silence"


# ---- what becomes of it --------------------------------------------------------------------


def sounding(monkeypatch: pytest.MonkeyPatch, sounds: Iterator[Sound]) -> None:
    monkeypatch.setattr(guard, "sound_of", lambda frame: next(sounds))


def verdicts(monkeypatch: pytest.MonkeyPatch, watch: Watch, *sounds: Sound) -> list[str]:
    sounding(monkeypatch, iter(sounds))
    return [watch.take(np.zeros(1, np.float32)) for _ in sounds]


def test_a_pause_waits_for_the_next_word(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch("live", 100, n_tries_left=2)
    found = verdicts(monkeypatch, watch, "speech", "silence", "silence", "noise", "speech", "silence")
    assert found == ["release", "keep", "hold", "hold", "release", "keep"]
    assert watch.taken_faults() == ()


@pytest.mark.parametrize(
    ("before", "sound", "limit"),
    [
        ((), "silence", MAX_FIRST_SILENCE_FRAMES),
        (("speech",), "silence", MAX_SILENCE_FRAMES),
        (("speech",), "noise", MAX_NOISE_FRAMES),
    ],
)
def test_doubt_that_lasts_is_answered_and_then_let_pass(
    monkeypatch: pytest.MonkeyPatch, before: tuple[Sound, ...], sound: Sound, limit: int
) -> None:
    watch = Watch("live", 100, n_tries_left=1)
    verdicts(monkeypatch, watch, *before)
    first = verdicts(monkeypatch, watch, *[sound] * limit)
    assert first == ["keep", *["hold"] * (limit - 2), "again"]
    again = verdicts(monkeypatch, watch, *[sound] * limit)
    assert again == [*["hold"] * (limit - 2), "release", "release"]
    kind = "silence" if sound == "silence" else "noise"
    assert watch.taken_faults() == (Fault(kind, "again"), Fault(kind, "let_pass"))
    assert watch.taken_faults() == ()
    assert verdicts(monkeypatch, watch, "speech", sound) == ["release", "keep"]


def test_between_segments_a_pause_begins_anew_and_noise_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch("live", 100, n_tries_left=1)
    verdicts(monkeypatch, watch, "speech", *["silence"] * (MAX_SILENCE_FRAMES - 1))
    assert watch.take_mark() == "release"
    verdicts(monkeypatch, watch, *["silence"] * (MAX_SILENCE_FRAMES - 1))
    assert watch.taken_faults() == ()
    verdicts(monkeypatch, watch, "speech", *["noise"] * (MAX_NOISE_FRAMES - 1))
    watch.take_mark()
    # Nothing after the mark was kept yet that could be gone back to.
    assert verdicts(monkeypatch, watch, "noise", "noise") == ["keep", "again"]


@pytest.mark.parametrize(
    ("guarding", "n_frames", "verdict", "faults"),
    [
        ("file", 9, "again", (Fault("sudden_end", "again"),)),
        ("live", 9, "release", (Fault("sudden_end", "let_pass"),)),
        ("file", 10, "release", ()),
        ("file", 0, "release", ()),
        ("off", 1, "release", ()),
    ],
)
def test_an_end_long_before_the_text_is_noticed(
    guarding: Guarding, n_frames: int, verdict: str, faults: tuple[Fault, ...]
) -> None:
    watch = Watch(guarding, 40, n_tries_left=1, holds_all=guarding == "file")
    assert watch.take_end(n_frames) == verdict
    assert watch.taken_faults() == faults


@pytest.mark.parametrize(
    ("guarding", "verdict"), [("file", "again"), ("live", "release"), ("off", "release")]
)
def test_no_end_is_noticed(guarding: Guarding, verdict: str) -> None:
    watch = Watch(guarding, 40, n_tries_left=1, holds_all=guarding == "file")
    assert watch.take_no_end() == verdict
    assert len(watch.taken_faults()) == (guarding != "off")


# ---- going back ----------------------------------------------------------------------------


def test_a_place_is_gone_back_to_to_the_bit(model: VibeVoiceModel) -> None:
    slots = DialogueSlots(model, 2, 256)
    slots.take()  # not the first slot
    dialogue = mixed_dialogues(model)[0]
    track = dialogue.join(model, slots)
    outcomes = [advance(model, slots, [track])[0] for _ in range(4)]
    while outcomes[-1].token != "audio":
        outcomes += advance(model, slots, [track])
    place, noise = keep_place(slots, track), track.noise.state
    first = [advance(model, slots, [track])[0] for _ in range(5)]
    go_back(slots, track, place)
    track.noise.state = noise
    second = [advance(model, slots, [track])[0] for _ in range(5)]
    assert [one.token for one in first] == [one.token for one in second]
    assert "audio" in [one.token for one in first]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_the_beginning_is_gone_back_to(model: VibeVoiceModel) -> None:
    slots = DialogueSlots(model, 1, 256)
    dialogue = mixed_dialogues(model)[0]
    track = dialogue.join(model, slots)
    noise = track.noise.state
    first = [advance(model, slots, [track])[0] for _ in range(8)]
    go_to_beginning(slots, track)
    track.noise.state = noise
    second = [advance(model, slots, [track])[0] for _ in range(6)]
    spoken = [one.samples for one in first if len(one.samples)]
    again = [one.samples for one in second if len(one.samples)]
    assert len(again) >= 2
    for one, other in zip(spoken, again, strict=False):
        # The last row of the prompt is read alone the second time: another order of the same sums.
        np.testing.assert_allclose(one, other, atol=1e-4)


# ---- in the engine -------------------------------------------------------------------------


def small_engine(**options: OptionValue) -> VibeVoiceEngine:
    settings: dict[str, OptionValue] = {"random_weights": "small", "max_positions": 1024} | options
    return create(EngineConfig(device="cpu", options=settings))


@pytest.fixture(scope="module")
def engine() -> VibeVoiceEngine:
    return small_engine()


def hear(
    engine: VibeVoiceEngine, seed: int, **options: OptionValue
) -> tuple[list[Samples], tuple[Fault, ...], TtsOpsError | None]:
    """Pieces as they leave, what was noticed, and the error it ended with."""
    utterance = engine.open(SpeechRequest(TEXT, seed=seed, options=options))
    pieces, faults = [], ()
    for _ in range(500):
        step = engine.step([utterance])[0]
        faults += step.faults
        if len(step.samples):
            pieces.append(step.samples)
        if step.is_done or step.error:
            engine.close(utterance)
            return pieces, faults, step.error
    raise AssertionError("it does not end")


def test_random_weights_are_not_watched(engine: VibeVoiceEngine) -> None:
    (guard_option,) = [one for one in engine.card.options if one.name == "guard"]
    assert guard_option.default == "off"


@pytest.mark.parametrize("guarding", ["live", "file"])
def test_speech_without_fault_is_the_same_with_and_without(engine: VibeVoiceEngine, guarding: str) -> None:
    plain, _, _ = hear(engine, 1)
    watched, faults, error = hear(engine, 1, guard=guarding)
    assert (faults, error) == ((), None)
    np.testing.assert_array_equal(np.concatenate(watched), np.concatenate(plain))


def test_a_noisy_beginning_is_made_again_with_another_seed(
    engine: VibeVoiceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _, _ = hear(engine, 1)
    # Some more than that: random weights choose marks, and in a segment the first frame of doubt is let go.
    sounds: list[Sound] = ["noise"] * (MAX_NOISE_FRAMES + 4) + ["speech"] * 500
    sounding(monkeypatch, iter(sounds))
    pieces, faults, error = hear(engine, 1, guard="live")
    assert (faults, error) == ((Fault("noise", "again"),), None)
    found = np.concatenate(pieces)
    np.testing.assert_array_equal(found[:HOP], plain[0])
    assert not np.array_equal(found, np.concatenate(plain)), "it has other noise"
    sounding(monkeypatch, iter(sounds))
    np.testing.assert_array_equal(np.concatenate(hear(engine, 1, guard="live")[0]), found)


def test_as_a_file_nothing_of_the_fault_is_heard(
    engine: VibeVoiceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _, _ = hear(engine, 1)
    sounding(monkeypatch, iter(["speech"] * 3 + ["noise"] * MAX_NOISE_FRAMES + ["speech"] * 500))
    pieces, faults, error = hear(engine, 1, guard="file")
    assert (faults, error) == ((Fault("noise", "again"),), None)
    assert {len(piece) for piece in pieces} == {HOP}, "a frame a step"
    assert not np.array_equal(pieces[0], plain[0])


def test_what_never_speaks_is_an_error_after_three_tries(
    engine: VibeVoiceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "sound_of", lambda frame: "noise")
    pieces, faults, error = hear(engine, 1, guard="file")
    assert isinstance(error, NoSpeech)
    assert pieces == []
    assert [fault.answer for fault in faults] == ["again", "again", "let_pass"]


def test_neighbours_do_not_notice(engine: VibeVoiceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, _, _ = hear(engine, 2)
    doubtful = engine.open(SpeechRequest(TEXT, seed=1, options={"guard": "live"}))
    other = engine.open(SpeechRequest(TEXT, seed=2))
    monkeypatch.setattr(guard, "sound_of", lambda frame: "noise")
    heard = []
    while not other.is_done:
        heard.append(engine.step([doubtful, other])[1].samples)
    engine.close(doubtful)
    engine.close(other)
    np.testing.assert_allclose(np.concatenate(heard), np.concatenate(plain), atol=1e-4)


def test_a_slow_engine_makes_live_streams_whole() -> None:
    engine = small_engine(simulate_live=True)
    plain, _, _ = hear(engine, 1)
    engine.card = replace(engine.card, simulates_live=True)
    utterance = engine.open(SpeechRequest(TEXT, seed=1))
    silent = 0
    while not len((step := engine.step([utterance])[0]).samples):
        silent += 1
    assert silent > len(plain), "nothing leaves before all of it is made"
    assert utterance.slot is None, "its slot is free while it is sent"
    pieces = [step.samples]
    while not (step := engine.step([utterance])[0]).is_done:
        pieces.append(step.samples)
    np.testing.assert_array_equal(np.concatenate(pieces), np.concatenate(plain))
