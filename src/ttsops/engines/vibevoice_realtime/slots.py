"""All state of the open streams, in memory allocated once: caches, decoder memory, conditions, latents.

A stream has one slot in everything but the speech cache: there it has two neighbouring ones, for its
positive and its negative branch. So the streams of the lowest slots, and both branches of each, are one
piece of memory.

Passes of fixed shape have rows that belong to nobody. They write where nobody reads: to the last position of
a cache (`scratch_position`), and to one more slot in everything else (`n_streams`).
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from ttsops.engines.nn.free_slots import FreeSlots
from ttsops.engines.nn.kv_slots import KvSlots, with_scratch
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.voice_state import VoiceState

Slot = TypeVar("Slot", int, Tensor)
"""One, or a tensor of them."""


class StreamSlots:
    """Slots of `n_streams` utterances with up to `n_positions` each."""

    def __init__(self, model: RealtimeModel, n_streams: int, n_positions: int) -> None:
        config, device, dtype = model.config.language_model, model.device, model.dtype
        n_kv, dim = config.num_key_value_heads, config.head_dim
        self.n_streams = n_streams
        self.n_positions = n_positions
        n_kept = with_scratch(n_positions)
        self.scratch_position = n_kept - 1
        """Of the caches: never read by anybody."""
        self.text = KvSlots(
            model.text_layers.n_layers, n_streams, n_kv, n_kept, dim, dtype=dtype, device=device
        )
        self.speech = KvSlots(
            model.speech_layers.n_layers, 2 * n_streams, n_kv, n_kept, dim, dtype=dtype, device=device
        )
        self.decoder = model.decoder.new_slots(n_streams + 1)
        # What the diffusion head is conditioned on: the positive and the negative hidden state.
        self.conditions = torch.zeros(2, n_streams + 1, config.hidden_size, dtype=dtype, device=device)
        self.latents = torch.zeros(n_streams + 1, model.config.latent_size, device=device)
        self._free = FreeSlots(n_streams)

    @property
    def bytes_per_stream(self) -> int:
        """Of one stream whose context is full."""
        return (
            self.text.bytes_per_slot
            + 2 * self.speech.bytes_per_slot
            + self.decoder.bytes_per_slot
            + self.conditions[:, 0].nbytes
            + self.latents[0].nbytes
        )

    def take(self) -> int:
        """A free slot, the lowest: what is in use stays together. Raises `Overloaded`."""
        return self._free.take()

    def give_back(self, slot: int) -> None:
        """Nothing of it is read again before `begin`."""
        self._free.give_back(slot)

    def positive(self, slot: Slot) -> Slot:
        """The slot of the positive branch in `speech`."""
        return 2 * slot

    def negative(self, slot: Slot) -> Slot:
        """The slot of the negative branch in `speech`."""
        return 2 * slot + 1

    def begin(self, slot: int, voice: VoiceState) -> None:
        """A new context: the voice's state is copied in, everything else is forgotten."""
        self.text.fill(slot, voice.text)
        self.speech.fill(self.positive(slot), voice.speech)
        self.speech.fill(self.negative(slot), voice.negative)
        self.conditions[0, slot] = voice.speech_hidden
        self.conditions[1, slot] = voice.negative_hidden
        self.decoder.clear(slot)
