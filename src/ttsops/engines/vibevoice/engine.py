"""The engine: one loaded model, its voices, and a slot for every open dialogue."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from ttsops.engines.contract import Engine, EngineCard, Step
from ttsops.engines.nn.dpm_solver import SOLVERS
from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.pace import card_at_pace
from ttsops.engines.vibevoice.card import SAMPLE_RATE
from ttsops.engines.vibevoice.casting import cast, read_lines
from ttsops.engines.vibevoice.generate import advance, start
from ttsops.engines.vibevoice.length import LengthBound, check_fits
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.shelf import VoiceShelf
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track
from ttsops.engines.vibevoice.utterance import Utterance
from ttsops.speech import SpeechRequest, Voice

WARM_TEXT = "The first bus leaves at seven, and the second one an hour later."
N_WARM_FRAMES = 4
"""The first pays for what is done once, and has nothing to listen to; the last is what a frame takes."""

N_WARM_STEPS = 100
"""Random weights may choose marks for long; nobody waits for more than this."""


class VibeVoiceEngine(Engine):
    """See the module."""

    def __init__(
        self,
        card: EngineCard,
        model: VibeVoiceModel,
        slots: DialogueSlots,
        shelf: VoiceShelf,
        bound: LengthBound,
        *,
        is_live_anyway: bool = False,
    ) -> None:
        """`is_live_anyway` offers live streams even where a frame takes too long for them."""
        self.card = card
        self._model = model
        self._slots = slots
        self._shelf = shelf
        self._bound = bound
        self._is_live_anyway = is_live_anyway
        self._defaults = {option.name: option.default for option in card.options}

    def voices(self) -> Sequence[Voice]:
        """Those with a recording."""
        return self._shelf.voices()

    def warm_up(self) -> None:
        """Prepare the default voice, and see whether frames are made fast enough for somebody who listens."""
        utterance = self.open(SpeechRequest(WARM_TEXT, seed=0))
        n_frames, seconds = 0, 0.0
        for _ in range(N_WARM_STEPS):
            started_at = time.perf_counter()
            step = self.step([utterance])[0]
            if len(step.samples):
                n_frames, seconds = n_frames + 1, time.perf_counter() - started_at
            if n_frames == N_WARM_FRAMES or step.is_done or step.error:
                break
        self.close(utterance)
        rtf = seconds * SAMPLE_RATE / self._model.config.hop_length
        self.card = card_at_pace(self.card, rtf, is_live_anyway=self._is_live_anyway)

    def open(self, request: SpeechRequest) -> Utterance:
        """Raises `EmptyText`, `UnknownVoice`, `TextTooLong`, `InvalidValue` for a script that cannot be cast,
        and `Overloaded` when every slot is taken.
        """
        script = read_lines(request.text)
        options = {**self._defaults, **request.options}
        lines, voice_ids = cast(script, request.voice or self.card.default_voice, str(options["speakers"]))
        prompt, prefix = self._shelf.prompt(lines, voice_ids)
        check_fits(script, len(prompt.ids), self._slots.n_positions)
        solver = next(one for one in SOLVERS if one == options["solver"])
        sampling = Sampling(int(options["steps"]), solver, float(options["cfg_scale"]))
        noise = SeededNoise(self._model.config.latent_size, request.seed)
        slot = self._slots.take()

        def begin(memory: Tensor) -> Track:
            return start(
                self._slots,
                prompt,
                None,
                sampling,
                noise,
                slot=slot,
                prefix=memory,
                max_tokens=self._bound.max_tokens(script),
            )

        return Utterance(slot, prefix, begin, is_bound_the_end=self._bound.is_end)

    @torch.inference_mode()
    def step(self, batch: Sequence[Utterance]) -> list[Step]:
        """A frame or a mark for each that speaks; a piece of a voice or of a prompt for the others."""
        live = [utterance for utterance in batch if not utterance.is_done]
        unfinished = {id(one.unfinished): one.unfinished for one in live if one.unfinished}
        going = [utterance for utterance in live if not utterance.unfinished]
        for prefix in unfinished.values():
            prefix.memory.advance()
        outcomes = advance(self._model, self._slots, [utterance.track for utterance in going])
        taken = {id(one): one.take(outcome) for one, outcome in zip(going, outcomes, strict=True)}
        return [taken.get(id(utterance)) or Step(is_done=utterance.is_done) for utterance in batch]

    def close(self, utterance: Utterance) -> None:
        """Its slot is free at once."""
        utterance.is_done = True
        if utterance.slot is not None:
            self._slots.give_back(utterance.slot)
            utterance.slot = None

    def shutdown(self) -> None:
        """The memory goes with the process."""
