"""All state of the open dialogues, in memory allocated once: caches, codec memory, last frames, next inputs.

A dialogue has one slot in everything but the language model's cache: there it has two neighbouring ones, for
its positive and its negative branch.

Passes of fixed shape have rows that belong to nobody. They write where nobody reads: to the last position of
the cache (`scratch_position`), and to one more slot in everything else (`n_streams`).
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from ttsops.engines.nn.free_slots import FreeSlots
from ttsops.engines.nn.kv_slots import KvSlots, with_scratch
from ttsops.engines.vibevoice.model import VibeVoiceModel

Slot = TypeVar("Slot", int, Tensor)
"""One, or a tensor of them."""


class DialogueSlots:
    """Slots of `n_streams` dialogues with up to `n_positions` each, script and speech together."""

    def __init__(self, model: VibeVoiceModel, n_streams: int, n_positions: int) -> None:
        config, device, dtype = model.config, model.device, model.dtype
        sizes = config.language_model
        self.n_streams = n_streams
        self.n_positions = n_positions
        n_kept = with_scratch(n_positions)
        self.scratch_position = n_kept - 1
        """Of the cache: never read by anybody."""
        self.cache = KvSlots(
            model.layers.n_layers,
            2 * n_streams,
            sizes.num_key_value_heads,
            n_kept,
            sizes.head_dim,
            dtype=dtype,
            device=device,
        )
        n_rows = n_streams + 1
        self.decoder = model.decoder.new_slots(n_rows)
        self.listener = model.semantic.new_slots(n_rows)
        # The last frame, as it was denoised and as it sounds: it is listened to before the next one.
        self.latents = torch.zeros(n_rows, config.latent_size, device=device)
        self.frames = torch.zeros(n_rows, config.hop_length, dtype=dtype, device=device)
        # What the language model reads next.
        self.inputs = torch.zeros(n_rows, sizes.hidden_size, dtype=dtype, device=device)
        self._free = FreeSlots(n_streams)

    @property
    def bytes_per_stream(self) -> int:
        """Of one dialogue whose context is full."""
        return (
            2 * self.cache.bytes_per_slot
            + self.decoder.bytes_per_slot
            + self.listener.bytes_per_slot
            + self.latents[0].nbytes
            + self.frames[0].nbytes
            + self.inputs[0].nbytes
        )

    def take(self) -> int:
        """A free slot. Raises `Overloaded`."""
        return self._free.take()

    def give_back(self, slot: int) -> None:
        """Nothing of it is read again before `begin`."""
        self._free.give_back(slot)

    def positive(self, slot: Slot) -> Slot:
        """The slot of the positive branch in `cache`."""
        return 2 * slot

    def negative(self, slot: Slot) -> Slot:
        """The slot of the negative branch in `cache`."""
        return 2 * slot + 1

    def begin(self, slot: int, prefix: Tensor | None = None) -> None:
        """A new dialogue: `prefix` [L, 2, G, P, D] is what was read of its prompt before."""
        if prefix is not None:
            self.cache.fill(self.positive(slot), prefix)
        self.end_segment(slot)

    def end_segment(self, slot: int) -> None:
        """Speech has paused: the codec forgets what it heard and said."""
        self.decoder.clear(slot)
        self.listener.clear(slot)
