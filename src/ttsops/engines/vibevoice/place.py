"""Places in a dialogue to which it can go back within its slot, to be made again with other noise.

The caches of keys and values only grow within a segment of speech, so that going back is to count less; the
codec's memory and the last frame are copied, 1.4 MB of VibeVoice-1.5B in fp32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ttsops.engines.nn.codec_blocks import ConvSlots
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track

_COUNTS = ("position", "negative_position", "n_tokens", "n_frames", "has_frame")
_MEMORIES = ("decoder", "listener")
_ROWS = ("latents", "frames", "inputs")


@dataclass(frozen=True, slots=True)
class Place:
    """Between two steps of one track, good until its segment of speech ends."""

    counts: Mapping[str, int]
    rows: Mapping[str, Tensor]


def rows_of(slots: DialogueSlots, slot: int) -> dict[str, Tensor]:
    """All that a slot holds outside the caches, by name, as views."""
    rows: dict[str, Tensor] = {}
    for name in _MEMORIES:
        memory: ConvSlots = getattr(slots, name)
        rows |= {f"{name}.{i}": buffer[slot] for i, buffer in enumerate(memory.buffers)}
    return rows | {name: getattr(slots, name)[slot] for name in _ROWS}


@torch.inference_mode()
def keep_place(slots: DialogueSlots, track: Track) -> Place:
    """Where `track` stands."""
    rows = {name: row.clone() for name, row in rows_of(slots, track.slot).items()}
    return Place({name: getattr(track, name) for name in _COUNTS}, rows)


@torch.inference_mode()
def go_back(slots: DialogueSlots, track: Track, place: Place) -> None:
    """Forget what came after `place`; its noise is the caller's to change."""
    for name, row in rows_of(slots, track.slot).items():
        row.copy_(place.rows[name])
    for name, count in place.counts.items():
        setattr(track, name, count)


@torch.inference_mode()
def go_to_beginning(slots: DialogueSlots, track: Track) -> None:
    """To where all of the prompt but its last token was read, and nothing was said."""
    slots.end_segment(track.slot)
    track.position = len(track.prompt.ids) - 1
    track.negative_position = track.n_tokens = track.n_frames = 0
    track.has_frame = False
