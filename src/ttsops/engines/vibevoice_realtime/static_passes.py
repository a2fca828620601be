"""A frame as four passes of fixed shape, each of which can be captured once and replayed.

A pass takes its sizes and nothing else. All that differs from frame to frame is in tensors that stay where
they are: `integers` and `numbers`, filled by the host before, and the state in `StreamSlots`. No pass makes
the host wait, and none has a shape that depends on a value.

Rows that belong to nobody write to the scratch places of `StreamSlots`: a cache's last position, the last
slot of everything else.

Legend: S streams that there is room for, N slots, M windows, B frames, C hidden size, D latent size, n
steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ttsops.engines.nn.staging import ToDevice, ToHost
from ttsops.engines.nn.static_rows import SlotRows, WindowRows
from ttsops.engines.nn.static_sampler import StaticSampler, new_frame_numbers
from ttsops.engines.vibevoice_realtime.model import SPEECH, TEXT, RealtimeModel
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.windows import TEXT_WINDOW

MAX_STEPS = 20
"""Solver steps of a frame, at most."""

# Rows of `integers` [.., S]. The first two are by slot; the next ones have a column for each window of text,
# the last ones for each frame.
POSITIVE, NEGATIVE = 0, 1
"""Where a slot's last latent is read in each branch; the scratch position if it is not."""

WINDOW_SLOT, WINDOW_SIZE, WINDOW_TEXT_START, WINDOW_SPEECH_START, WINDOW_IDS = 2, 3, 4, 5, 6
"""A window's slot (S if it is nobody's), its tokens, its first position in either cache; then its ids."""

FRAME_SLOT = WINDOW_IDS + TEXT_WINDOW
"""A frame's slot; S if it is nobody's."""

TIMES = FRAME_SLOT + 1
"""The training steps at which the head is asked, one row for each solver step."""


class StaticPasses:
    """The passes, and the memory they work on."""

    def __init__(self, model: RealtimeModel, slots: StreamSlots) -> None:
        self._model = model
        self._slots = slots
        self._sampler = StaticSampler(model.head, model.device)
        language_model, n_streams = model.config.language_model, slots.n_streams
        self._n_repeats = language_model.num_attention_heads // language_model.num_key_value_heads
        self._hop = model.config.decoder.hop_length
        self.integers = ToDevice((TIMES + MAX_STEPS, n_streams), torch.int64, model.device)
        self.numbers = new_frame_numbers(MAX_STEPS, n_streams, model.config.latent_size, model.device)
        self.output = ToHost((n_streams, self._hop + 1), torch.float32, model.device)
        """Of each frame its samples, and the logit that the frame before it was the last."""

        self._logits = torch.zeros(n_streams + 1, device=model.device)
        self.clear()

    def clear(self) -> None:
        """No row belongs to anybody: what a pass does now changes nothing."""
        self.clear_integers()
        self.numbers.host[:] = 0
        self.integers.send(len(self.integers.host))
        self.numbers.send(len(self.numbers.host))

    def clear_integers(self) -> None:
        """On the host's side."""
        integers = self.integers.host
        integers[:] = 0
        integers[: NEGATIVE + 1] = self._slots.scratch_position
        integers[WINDOW_SLOT] = integers[FRAME_SLOT] = self._slots.n_streams

    def read_latents(self, n: int, length: int) -> None:
        """Both branches of the first `n` slots read their last latent: conditions and logits.

        Nobody has more than `length` positions afterwards.
        """
        model, slots = self._model, self._slots
        positions = self.integers.device[: NEGATIVE + 1, :n].t()  # [N, 2]
        x = model.connector(slots.latents[:n].to(model.dtype)) + model.input_types[SPEECH]
        rows = SlotRows(positions.flatten(), length, model.dtype)
        both = x[:, None].expand(-1, 2, -1).flatten(0, 1)  # a slot's branches are neighbours in the cache
        hidden = model.speech_layers(both, rows, slots.speech).view(n, 2, -1)
        self._logits[:n] = model.eos(hidden[:, 0])
        is_read = positions < slots.scratch_position
        kept = slots.conditions[:, :n].transpose(0, 1)
        kept.copy_(torch.where(is_read[..., None], hidden, kept))

    def read_windows(self, m: int, length: int) -> None:
        """`m` windows of text are read behind the latents of their streams: positive conditions.

        Nobody has more than `length` positions afterwards.
        """
        model, slots = self._model, self._slots
        integers = self.integers.device[:, :m]
        at, sizes = integers[WINDOW_SLOT], integers[WINDOW_SIZE]
        cached_at = at.clamp(
            max=slots.n_streams - 1
        )  # a cache has no scratch slot: its scratch position serves
        ids = integers[WINDOW_IDS : WINDOW_IDS + TEXT_WINDOW].t()  # [M, W]
        rows = self._window_rows(cached_at, integers[WINDOW_TEXT_START], sizes, length)
        embedded = model.embedding[ids.flatten()].to(model.dtype)
        hidden = model.text_layers(embedded, rows, slots.text)
        rows = self._window_rows(slots.positive(cached_at), integers[WINDOW_SPEECH_START], sizes, length)
        hidden = model.speech_layers(hidden + model.input_types[TEXT], rows, slots.speech)
        windows = torch.arange(m, device=model.device)
        last = (sizes - 1).clamp(min=0)
        slots.conditions[0, at] = hidden.view(m, TEXT_WINDOW, -1)[windows, last]

    def denoise(self, n: int, n_steps: int) -> None:
        """The latents of `n` frames."""
        at = self.integers.device[FRAME_SLOT, :n]
        times = self.integers.device[TIMES : TIMES + n_steps, :n]
        self._slots.latents[at] = self._sampler.frames(
            self._slots.conditions[:, at], times, self.numbers.device[: 1 + n_steps, :n]
        )

    def decode(self, n: int) -> None:
        """The samples of `n` frames."""
        model, slots = self._model, self._slots
        at = self.integers.device[FRAME_SLOT, :n]
        latents = model.decoder_input(slots.latents[at])
        output = self.output.device[:n]
        output[:, : self._hop] = model.decoder(latents[:, None], slots.decoder, at)
        output[:, self._hop] = self._logits[at]

    def _window_rows(self, slots: Tensor, starts: Tensor, sizes: Tensor, length: int) -> WindowRows:
        """Tokens one behind the other; those that a short window has not go to the scratch position."""
        order = torch.arange(TEXT_WINDOW, device=slots.device)
        is_missing = order >= sizes[:, None]  # [M, W]
        positions = (starts[:, None] + order).masked_fill(is_missing, self._slots.scratch_position)
        return WindowRows(slots, positions, self._n_repeats, length, self._model.dtype)
