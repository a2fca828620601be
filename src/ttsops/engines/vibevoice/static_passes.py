"""A step as four passes of fixed shape, each of which can be captured once and replayed.

A pass takes its sizes and nothing else. All that differs from step to step is in tensors that stay where they
are: `places`, `frames` and `numbers`, filled by the host before, and the state in `DialogueSlots`. No pass
makes the host wait, and none has a shape that depends on a value.

Legend: S dialogues that there is room for, N slots, B frames, C hidden size, D latent size, n steps.
"""

from __future__ import annotations

import torch

from ttsops.engines.nn.staging import ToDevice, ToHost
from ttsops.engines.nn.static_rows import SlotRows
from ttsops.engines.nn.static_sampler import StaticSampler, new_frame_numbers
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.slots import DialogueSlots

MAX_STEPS = 50
"""Solver steps of a frame, at most."""

# Rows of `places` [3, S].
HEARD, POSITIVE, NEGATIVE = 0, 1, 2
"""The slot of each frame that is listened to, S if it is nobody's; by slot, where its next input is read in
either branch, the scratch position if it is not."""

# Rows of `frames` [1 + n, S].
FRAME_SLOT, TIMES = 0, 1
"""A frame's slot, S if it is nobody's; then the training steps at which the head is asked."""


class StaticPasses:
    """The passes, and the memory they work on."""

    def __init__(self, model: VibeVoiceModel, slots: DialogueSlots) -> None:
        self._model = model
        self._slots = slots
        self._sampler = StaticSampler(model.head, model.device)
        config, n_streams = model.config, slots.n_streams
        self.places = ToDevice((3, n_streams), torch.int64, model.device)
        self.frames = ToDevice((TIMES + MAX_STEPS, n_streams), torch.int64, model.device)
        self.numbers = new_frame_numbers(MAX_STEPS, n_streams, config.latent_size, model.device)
        self.choices = ToHost((n_streams,), torch.int64, model.device)
        """By slot, the index in `TOKENS` of what was chosen."""

        self.output = ToHost((n_streams, config.hop_length), torch.float32, model.device)
        """Of each frame its samples."""

        self.conditions = torch.zeros(
            2, n_streams + 1, config.language_model.hidden_size, dtype=model.dtype, device=model.device
        )
        """By slot, the positive and the negative hidden state that the next frame is made from."""

        self.clear()

    def clear(self) -> None:
        """No row belongs to anybody: what a pass does now changes nothing."""
        self.clear_places()
        self.clear_frames()
        self.numbers.host[:] = 0
        for memory in (self.places, self.frames, self.numbers):
            memory.send(len(memory.host))

    def clear_places(self) -> None:
        """On the host's side."""
        self.places.host[HEARD] = self._slots.n_streams
        self.places.host[POSITIVE:] = self._slots.scratch_position

    def clear_frames(self) -> None:
        """On the host's side."""
        self.frames.host[FRAME_SLOT] = self._slots.n_streams
        self.frames.host[TIMES:] = 0

    def listen(self, n: int) -> None:
        """`n` frames are encoded again: with its latent each is the next input of its dialogue."""
        model, slots = self._model, self._slots
        at = self.places.device[HEARD, :n]
        meaning = model.semantic(slots.frames[at], slots.listener, at)[:, 0]
        latents = slots.latents[at].to(model.dtype)
        slots.inputs[at] = model.acoustic_connector(latents) + model.semantic_connector(meaning)

    def read(self, n: int, length: int) -> None:
        """Both branches of the first `n` slots read their next input: conditions and choices.

        Nobody has more than `length` positions afterwards.
        """
        model, slots = self._model, self._slots
        positions = self.places.device[POSITIVE : NEGATIVE + 1, :n].t()  # [N, 2]
        rows = SlotRows(positions.flatten(), length, model.dtype)
        # A dialogue's branches are neighbours in the cache.
        both = slots.inputs[:n, None].expand(-1, 2, -1).flatten(0, 1)
        hidden = model.layers(both, rows, slots.cache).view(n, 2, -1)
        self.choices.device[:n] = model.choose(hidden[:, 0]).argmax(dim=1)
        is_read = positions < slots.scratch_position
        kept = self.conditions[:, :n].transpose(0, 1)
        kept.copy_(torch.where(is_read[..., None], hidden, kept))

    def denoise(self, n: int, n_steps: int) -> None:
        """The latents of `n` frames."""
        at = self.frames.device[FRAME_SLOT, :n]
        times = self.frames.device[TIMES : TIMES + n_steps, :n]
        self._slots.latents[at] = self._sampler.frames(
            self.conditions[:, at], times, self.numbers.device[: 1 + n_steps, :n]
        )

    def decode(self, n: int) -> None:
        """The samples of `n` frames."""
        model, slots = self._model, self._slots
        at = self.frames.device[FRAME_SLOT, :n]
        audio = model.decoder(model.to_codec(slots.latents[at])[:, None], slots.decoder, at)
        slots.frames[at] = audio
        self.output.device[:n] = audio
