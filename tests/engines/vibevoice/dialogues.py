"""Dialogues over small random weights: they join, speak with their own voices and settings, and leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice.generate import PROMPT_ROWS, Outcome, StepForm, Token, advance, start
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.prompt import Prompt, make_prompt, script_lines
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track
from ttsops.engines.vibevoice.voices import prepare_voice
from ttsops.speech import Samples
from ttsops.text import read_script

HOP = 3200
ATOL = 1e-4
"""Between batches of different sizes: products of other shapes round differently, and feedback adds to it."""

SCRIPTS = (
    "Speaker 1: Did you see the harbour this morning?\nSpeaker 2: I did. Every boat was out.",
    "Only one of us is here today.",
    "Speaker 1: One.\nSpeaker 2: Two.\nSpeaker 3: Three.\nSpeaker 1: And the rest, please.",
    "Speaker 1: No voice of my own.",
)


def recording(seed: int, n_samples: int) -> Samples:
    noise = np.random.default_rng(seed).standard_normal(n_samples)
    return np.asarray(0.1 * noise, np.float32)


@dataclass
class Dialogue:
    """What somebody asks for, and what they get."""

    script: str
    voices: Sequence[Tensor] = ()
    n_steps: int = 5
    cfg_scale: float = 1.3
    seed: int = 0
    max_tokens: int = 24
    joins_at: int = 0
    leaves_after: int | None = None
    track: Track | None = None
    outcomes: list[Outcome] = field(default_factory=list)

    def prompt(self, model: VibeVoiceModel) -> Prompt:
        lines = script_lines(read_script(self.script))
        tokens = model.config.tokens
        return make_prompt(lines, [len(rows) for rows in self.voices], HashedWords(tokens.eos), tokens)

    def join(self, model: VibeVoiceModel, slots: DialogueSlots, prefix: Tensor | None = None) -> Track:
        self.track = start(
            slots,
            self.prompt(model),
            torch.cat(list(self.voices)) if self.voices else None,
            Sampling(self.n_steps, "dpmsolver++", self.cfg_scale),
            SeededNoise(model.config.latent_size, self.seed),
            slot=slots.take(),
            prefix=prefix,
            max_tokens=self.max_tokens,
        )
        return self.track

    @property
    def is_over(self) -> bool:
        if self.leaves_after is not None and len(self.outcomes) >= self.leaves_after:
            return True
        return bool(self.outcomes and self.outcomes[-1].end)

    @property
    def samples(self) -> Samples:
        return np.concatenate([one.samples for one in self.outcomes])

    @property
    def tokens(self) -> list[Token]:
        return [one.token for one in self.outcomes if one.token]


def speak(
    model: VibeVoiceModel, slots: DialogueSlots, dialogue: Dialogue, n_prompt_rows: int = PROMPT_ROWS
) -> Dialogue:
    """Alone, from its place to the end."""
    track = dialogue.track or dialogue.join(model, slots)
    while not dialogue.is_over:
        dialogue.outcomes += advance(model, slots, [track], n_prompt_rows=n_prompt_rows)
    slots.give_back(track.slot)
    return dialogue


def speak_together(
    model: VibeVoiceModel,
    slots: DialogueSlots,
    dialogues: Sequence[Dialogue],
    n_prompt_rows: int,
    form: StepForm | None = None,
) -> None:
    """Step whoever is there until all are gone; half of them miss every third step, as if parked."""
    at = 0
    while not all(one.is_over for one in dialogues):
        for one in dialogues:
            if one.track is None and one.joins_at <= at:
                one.join(model, slots)
        here = [one for one in dialogues if one.track and not one.is_over]
        batch = here[::2] if at % 3 == 2 else here
        tracks = [one.track for one in batch if one.track]
        if form is None:
            outcomes = advance(model, slots, tracks, n_prompt_rows=n_prompt_rows)
        else:
            outcomes = form.advance(tracks)
        for one, outcome in zip(batch, outcomes, strict=True):
            one.outcomes.append(outcome)
            if one.is_over and one.track:
                slots.give_back(one.track.slot)
        at += 1


def mixed_dialogues(model: VibeVoiceModel) -> list[Dialogue]:
    voices = [prepare_voice(model, recording(i, 6_000 + 4_000 * i), seed=i) for i in range(3)]
    return [
        Dialogue(SCRIPTS[0], voices[:2], seed=0),
        Dialogue(SCRIPTS[1], voices[2:], n_steps=9, cfg_scale=2.0, seed=1),
        Dialogue(SCRIPTS[2], voices, n_steps=3, cfg_scale=1.0, seed=2),
        Dialogue(SCRIPTS[3], (), n_steps=5, cfg_scale=1.5, seed=3),
        Dialogue(SCRIPTS[0], voices[1:], n_steps=4, seed=4),
    ]
