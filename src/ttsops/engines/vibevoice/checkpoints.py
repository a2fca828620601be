"""Dialogues on the disk: at every pause what is new since the one before, and all of it read again to go on.

A checkpoint is two files: a piece of the positive branch's cache, which only grows, and everything else,
which is small. Pieces are kept; of everything else the last two are: whoever counts checkpoints may have
missed one.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from ttsops.audio import write_atomically
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track
from ttsops.engines.vibevoice.track_state import POSITIVE, join_positions, restore_track, save_track
from ttsops.errors import JobDamaged


def save_checkpoint(
    slots: DialogueSlots, track: Track, extra: Tensor, folder: Path, number: int, since: int
) -> None:
    """Number `number`, counted from 1, of a dialogue that was last saved at position `since`.

    `extra` is kept with it. Raises `AudioError` if it cannot be written.
    """
    state = save_track(slots, track, since)
    write_atomically(_piece(folder, number), save({POSITIVE: state.pop(POSITIVE)}))
    write_atomically(_rest(folder, number), save(state | {"extra": extra}))
    _rest(folder, number - 2).unlink(missing_ok=True)


def restore_checkpoint(slots: DialogueSlots, track: Track, folder: Path, number: int) -> Tensor:
    """Bring a track that was just started to checkpoint `number`; gives what was kept with it.

    Raises `JobDamaged` for files that are missing or of another model.
    """
    try:
        state = load_file(_rest(folder, number))
        cache = load_file(_piece(folder, 1))[POSITIVE]
        for later in range(2, number + 1):
            cache = join_positions(cache, load_file(_piece(folder, later))[POSITIVE])
        extra = state.pop("extra")
        restore_track(slots, track, state | {POSITIVE: cache})
    except (OSError, KeyError, ValueError, RuntimeError) as e:
        raise JobDamaged(
            f"the checkpoint in `{folder}` cannot be read: {e}", hint="begin anew with `--restart`"
        ) from e
    return extra


def counts(*numbers: int) -> Tensor:
    """Whole numbers to be kept with a checkpoint."""
    return torch.tensor(numbers, dtype=torch.int64)


def _piece(folder: Path, number: int) -> Path:
    return folder / f"positions-{number:05}.safetensors"


def _rest(folder: Path, number: int) -> Path:
    return folder / f"state-{number:05}.safetensors"
