"""The engine: one loaded model, its voices, and a slot for every open dialogue."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ttsops.engines.contract import Engine, EngineCard, Step
from ttsops.engines.nn.dpm_solver import SOLVERS
from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.pace import card_at_pace
from ttsops.engines.vibevoice.card import SAMPLE_RATE
from ttsops.engines.vibevoice.casting import cast, read_lines
from ttsops.engines.vibevoice.generate import StepForm, start
from ttsops.engines.vibevoice.guard import GUARDINGS, Watch
from ttsops.engines.vibevoice.length import USUAL_FRAMES_PER_CHAR, LengthBound, check_fits, n_letters
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.shelf import VoiceShelf
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track
from ttsops.engines.vibevoice.utterance import Utterance
from ttsops.speech import SpeechRequest, Voice
from ttsops.text import Script

WARM_TEXT = "The first bus leaves at seven, and the second one an hour later."
N_WARM_FRAMES = 4
"""The first pays for what is done once, and has nothing to listen to; the last is what a frame takes."""

MAX_TRIES = 3
"""Of one utterance, before what is found wrong with it is let pass."""

SEED_STRIDE = 0x9E3779B1
"""Between the seeds of tries: far from those that anybody asks for one after the other."""

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
        form: StepForm,
        *,
        is_live_anyway: bool = False,
        simulates_live: bool = False,
    ) -> None:
        """Where a frame takes too long for live streams, `is_live_anyway` offers them all the same, and
        `simulates_live` makes each whole first.
        """
        self.card = card
        self._model = model
        self._slots = slots
        self._shelf = shelf
        self._bound = bound
        self._form = form
        self._is_live_anyway = is_live_anyway
        self._simulates_live = simulates_live
        self._defaults = {option.name: option.default for option in card.options}

    def voices(self) -> Sequence[Voice]:
        """Those with a recording."""
        return self._shelf.voices()

    def warm_up(self) -> None:
        """Prepare the default voice, and see whether frames are made fast enough for somebody who listens."""
        self._form.warm_up()
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
        self.card = card_at_pace(
            self.card, rtf, is_live_anyway=self._is_live_anyway, simulates_live=self._simulates_live
        )

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
        watch = self._watch(str(options["guard"]), script)

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

        return Utterance(
            self._slots,
            slot,
            prefix,
            begin,
            watch,
            self._later_noises(request.seed),
            is_bound_the_end=self._bound.is_end,
        )

    @torch.inference_mode()
    def step(self, batch: Sequence[Utterance]) -> list[Step]:
        """A frame or a mark for each that speaks; a piece of a voice or of a prompt for the others."""
        speaking = [utterance for utterance in batch if not utterance.is_made and not utterance.is_done]
        unfinished = {id(one.unfinished): one.unfinished for one in speaking if one.unfinished}
        going = [utterance for utterance in speaking if not utterance.unfinished]
        for prefix in unfinished.values():
            prefix.memory.advance()
        outcomes = self._form.advance([utterance.track for utterance in going])
        steps = {id(one): one.give() for one in batch if one.is_made and not one.is_done}
        for one, outcome in zip(going, outcomes, strict=True):
            steps[id(one)] = one.take(outcome)
            if one.is_made:
                self._free(one)
        return [steps.get(id(utterance)) or Step(is_done=utterance.is_done) for utterance in batch]

    def is_at_pause(self, utterance: Utterance) -> bool:
        """See `Resumable`."""
        return utterance.is_at_pause

    def save(self, utterance: Utterance, folder: Path, number: int) -> None:
        """See `Resumable`."""
        utterance.save(folder, number)

    @torch.inference_mode()
    def resume(self, request: SpeechRequest, folder: Path, number: int) -> Utterance:
        """See `Resumable`. Voices are prepared as for a new utterance: they are not kept with it."""
        utterance = self.open(request)
        try:
            while (prefix := utterance.unfinished) is not None:
                prefix.memory.advance()
            utterance.go_on_from(folder, number)
        except BaseException:
            self.close(utterance)
            raise
        return utterance

    def close(self, utterance: Utterance) -> None:
        """Its slot is free at once."""
        utterance.is_done = True
        self._free(utterance)

    def _free(self, utterance: Utterance) -> None:
        if utterance.slot is not None:
            self._slots.give_back(utterance.slot)
            utterance.slot = None

    def _watch(self, guarding: str, script: Script) -> Watch:
        return Watch(
            next(one for one in GUARDINGS if one == guarding),
            USUAL_FRAMES_PER_CHAR * n_letters(script),
            MAX_TRIES - 1,
            holds_all=guarding == "file" or self.card.simulates_live,
        )

    def _later_noises(self, seed: int | None) -> Iterator[SeededNoise]:
        """The noise of each further try: of a seed of its own, the same ones for the same `seed`."""
        for n in range(1, MAX_TRIES):
            yield SeededNoise(
                self._model.config.latent_size, None if seed is None else seed + n * SEED_STRIDE
            )

    def shutdown(self) -> None:
        """The memory goes with the process."""
