"""Those who listen to an engine over small random weights: they join, bring text, wait, and leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ttsops.engines.contract import EngineConfig, Step
from ttsops.engines.vibevoice_realtime.card import PUBLISHED_VOICES
from ttsops.engines.vibevoice_realtime.engine import RealtimeEngine
from ttsops.engines.vibevoice_realtime.loading import create
from ttsops.engines.vibevoice_realtime.utterance import Utterance
from ttsops.speech import Samples, SpeechRequest

FRAME_SAMPLES = 3200
TEXT = "The first bus leaves at seven. If it rains, take a coat and wait inside."
ATOL = 1e-5
"""Between batches of different sizes: products of other shapes round differently."""


def small_engine(**options: bool | int | float | str) -> RealtimeEngine:
    settings = {"random_weights": "small", "max_positions": 512} | options
    return create(EngineConfig(device="cpu", max_streams=6, options=settings))


@dataclass
class Listener:
    """Somebody who joins at a step, may bring text in pieces, and may leave early."""

    request: SpeechRequest
    joins_at: int = 0
    leaves_after: int | None = None
    pieces: list[str] = field(default_factory=list)
    utterance: Utterance | None = None
    heard: list[Samples] = field(default_factory=list)
    is_over: bool = False

    def take(self, engine: RealtimeEngine, step: Step) -> None:
        assert step.error is None
        self.heard.append(step.samples)
        if step.needs_text and self.pieces:
            engine.append(self.utterance, self.pieces.pop(0))
        elif step.needs_text:
            engine.end(self.utterance)
        self.is_over = step.is_done or len(self.heard) == self.leaves_after

    @property
    def samples(self) -> Samples:
        return np.concatenate(self.heard)


def listen(engine: RealtimeEngine, listeners: Sequence[Listener]) -> None:
    """Step whoever is there until all are gone; half of them miss every third step, as if parked."""
    at = 0
    while not all(one.is_over for one in listeners):
        for one in listeners:
            if one.utterance is None and one.joins_at <= at:
                one.utterance = engine.open(one.request)
        here = [one for one in listeners if one.utterance and not one.is_over]
        batch = here[::2] if at % 3 == 2 else here
        for one, step in zip(batch, engine.step([one.utterance for one in batch]), strict=True):
            one.take(engine, step)
            if one.is_over:
                engine.close(one.utterance)
        at += 1


def mixed_requests() -> list[SpeechRequest]:
    options: list[dict[str, int | float | str]] = [
        {},
        {"cfg_scale": 1.0},
        {"steps": 9, "solver": "dpmsolver++"},
        {"steps": 2, "cfg_scale": 3.0},
        {"temperature": 0.5},
    ]
    return [
        SpeechRequest(f"{TEXT[i:]} {TEXT[: 9 * i]}", voice=PUBLISHED_VOICES[i], seed=i, options=chosen)
        for i, chosen in enumerate(options)
    ]
