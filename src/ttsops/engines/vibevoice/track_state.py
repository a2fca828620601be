"""A dialogue as tensors, so that it can be stopped, kept in a file, and gone on with to the same bit.

The cache of the positive branch only grows: whoever saves often asks for what is new `since` the last time
and joins it to what was saved before. After a mark that speech begins, everything else is a few kilobytes.

Legend: L layers, G key/value heads, P positions, D dimensions of a head.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.vibevoice.place import rows_of
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track

POSITIVE, NEGATIVE = "positive", "negative"
"""Names of the caches [L, 2, G, P, D]."""

_COUNTS = ("position", "negative_position", "n_voice_rows", "n_tokens", "n_frames")


@torch.inference_mode()
def save_track(slots: DialogueSlots, track: Track, since: int = 0) -> dict[str, Tensor]:
    """Copies on the CPU of all that `track` is, between two steps; `since` is a position of its own.

    Prompt, voices and sampling are not among them: they are what the dialogue was asked for.
    """
    cache, slot = slots.cache.data, track.slot
    state = {
        POSITIVE: cache[:, :, slots.positive(slot), :, since : track.position],
        NEGATIVE: cache[:, :, slots.negative(slot), :, : track.negative_position],
        "counts": torch.tensor([getattr(track, name) for name in _COUNTS]),
        "has_frame": torch.tensor(track.has_frame),
        "noise": _noise(track).state,
    }
    state |= rows_of(slots, slot)
    return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in state.items()}


@torch.inference_mode()
def restore_track(slots: DialogueSlots, track: Track, state: Mapping[str, Tensor]) -> None:
    """Bring `track`, started with the same prompt, voices and sampling, to where it was when it was saved.

    `state` holds the whole cache. Raises `ValueError` for one of another model or with a piece missing.
    """
    counts = dict(zip(_COUNTS, state["counts"].tolist(), strict=True))
    slot = track.slot
    for name, at, n in (
        (POSITIVE, slots.positive(slot), counts["position"]),
        (NEGATIVE, slots.negative(slot), counts["negative_position"]),
    ):
        place = slots.cache.data[:, :, at, :, :n]
        _check_shape(name, state[name], place)
        place.copy_(state[name])
    for name, row in rows_of(slots, slot).items():
        _check_shape(name, state[name], row)
        row.copy_(state[name])
    _noise(track).state = state["noise"]
    track.has_frame = bool(state["has_frame"])
    for name, count in counts.items():
        setattr(track, name, count)


def _noise(track: Track) -> SeededNoise:
    if not isinstance(track.noise, SeededNoise):
        raise TypeError("only a dialogue with a generator of its own can be saved")
    return track.noise


def join_positions(earlier: Tensor, later: Tensor) -> Tensor:
    """Two pieces of a saved cache [L, 2, G, P, D] as one."""
    return torch.cat((earlier, later), dim=3)


def _check_shape(name: str, found: Tensor, place: Tensor) -> None:
    if found.shape != place.shape:
        raise ValueError(f"`{name}` of the saved dialogue is {list(found.shape)}, not {list(place.shape)}")
