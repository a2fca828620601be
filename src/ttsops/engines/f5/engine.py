"""The engine: one loaded model and its voices; a step is one step of every chunk in flight."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import torch

from ttsops.engines.contract import Engine, EngineCard, Step
from ttsops.engines.f5.card import PRESETS, SAMPLE_RATE
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.planning import plan_chunks
from ttsops.engines.f5.sampler import Flow, advance
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.f5.tokens import Vocabulary
from ttsops.engines.f5.utterance import Utterance, Wish
from ttsops.engines.f5.voices import VoiceShelf
from ttsops.engines.pace import card_at_pace
from ttsops.errors import EmptyText, Overloaded, TtsOpsError
from ttsops.speech import OptionValue, SpeechRequest, Voice

WARM_TEXT = "The first bus leaves at seven, and the second one an hour later."
N_WARM_STEPS = 2
"""The first pays for what is done once; the last is what a step takes."""


class F5Engine(Engine):
    """See the module."""

    def __init__(
        self,
        card: EngineCard,
        model: F5Model,
        vocabulary: Vocabulary,
        shelf: VoiceShelf,
        *,
        is_live_anyway: bool = False,
    ) -> None:
        """`is_live_anyway` offers live streams even where a step takes too long for them."""
        self.card = card
        self._model = model
        self._vocabulary = vocabulary
        self._shelf = shelf
        self._is_live_anyway = is_live_anyway
        self._defaults = {option.name: option.default for option in card.options}
        self._n_open = 0

    def voices(self) -> Sequence[Voice]:
        """Those with a reference."""
        return self._shelf.voices()

    def warm_up(self) -> None:
        """Take a few steps, and see whether they are fast enough to speak while somebody listens."""
        request = SpeechRequest(WARM_TEXT, seed=0)
        utterance = self.open(request)
        seconds = 0.0
        for _ in range(N_WARM_STEPS):
            started_at = time.perf_counter()
            self.step([utterance])
            seconds = time.perf_counter() - started_at
        self.close(utterance)
        rtf = seconds * self._wish(request).schedule.n_steps / self._spoken_seconds(request)
        self.card = card_at_pace(self.card, rtf, is_live_anyway=self._is_live_anyway)

    def open(self, request: SpeechRequest) -> Utterance:
        """Raises `EmptyText`, `UnknownVoice`, `InvalidValue` for what cannot be sampled, and `Overloaded`."""
        if self._n_open >= self.card.max_streams:
            raise Overloaded(f"all {self._n_open} places of the engine are taken", retry_after=1.0)
        if not request.text.strip():
            raise EmptyText("there is nothing to say", param="text")
        voice = self._shelf.state(request.voice or self.card.default_voice)
        wish = self._wish(request)
        with torch.inference_mode():
            self._model.modulations.table(wish.schedule)  # refused now if it is not prepared
        text = request.text.encode("utf-8", "replace").decode()  # half of a surrogate pair has no bytes
        chunks = plan_chunks(text, voice.pace, request.speed)
        if not chunks:
            raise EmptyText("nothing in this text can be spoken", param="text")
        self._n_open += 1
        return Utterance(voice, chunks, wish)

    @torch.inference_mode()
    def step(self, batch: Sequence[Utterance]) -> list[Step]:
        """One step of the chunk in flight, or the next window of one that is sampled."""
        flows: list[Flow] = []
        failed: dict[int, TtsOpsError] = {}
        for i, utterance in enumerate(batch):
            try:
                if flow := utterance.flow(self._model, self._vocabulary):
                    flows.append(flow)
            except TtsOpsError as e:
                failed[i] = e
        advance(self._model, flows)
        return [
            Step(error=failed[i]) if i in failed else utterance.take(self._model)
            for i, utterance in enumerate(batch)
        ]

    def close(self, utterance: Utterance) -> None:
        """Its memory is free at once."""
        if not utterance.is_closed:
            self._n_open -= 1
        utterance.close()

    def shutdown(self) -> None:
        """The memory goes with the process."""

    def _wish(self, request: SpeechRequest) -> Wish:
        options: Mapping[str, OptionValue] = {**self._defaults, **_of_preset(request), **request.options}
        return Wish(
            Schedule(int(options["nfe"]), float(options["sway"])),
            cfg_strength=float(options["cfg_strength"]),
            cross_fade_seconds=float(options["cross_fade"]),
            seed=request.seed,
        )

    def _spoken_seconds(self, request: SpeechRequest) -> float:
        """Of the first chunk, which is what a listener waits for."""
        pace = self._shelf.state(request.voice or self.card.default_voice).pace
        chunk = plan_chunks(request.text, pace, request.speed)[0]
        return (chunk.frames - pace.frames) * self._model.config.mel.hop / SAMPLE_RATE


def _of_preset(request: SpeechRequest) -> Mapping[str, OptionValue]:
    """What a preset means; the request's own values go before it."""
    name = str(request.options.get("preset", ""))
    return {"nfe": PRESETS[name]} if name else {}
