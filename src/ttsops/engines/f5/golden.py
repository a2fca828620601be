"""Compares this engine's own code with recorded cases of the reference implementation.

A case is a folder. What it records is read from its contents: chunks sampled alone or in a batch, an
utterance of several chunks, the front end, the vocoder, resampling, cross-fades, or tables of the text rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError

from ttsops.engines.f5.golden_audio import (
    compare_cross_fades,
    compare_mel,
    compare_resampled,
    compare_vocos,
)
from ttsops.engines.f5.golden_sampling import compare_batch, compare_sample
from ttsops.engines.f5.golden_tables import compare_tables
from ttsops.engines.f5.golden_utterance import compare_utterance
from ttsops.engines.f5.recordings import Recording, read_recording
from ttsops.engines.nn.comparison import Comparison
from ttsops.errors import InvalidValue

_KINDS: dict[str, Callable[[Recording], Iterator[Comparison]]] = {
    "sample": compare_sample,
    "batch": compare_batch,
    "e2e": compare_utterance,
    "mel": compare_mel,
    "vocos": compare_vocos,
    "resample": compare_resampled,
    "crossfade": compare_cross_fades,
    "tables": compare_tables,
}


def check_case(folder: Path) -> list[Comparison]:
    """A line per recorded tensor, or column of a table.

    Raises `InvalidValue` if the folder is no case of F5-TTS.
    """
    try:
        recording = read_recording(folder)
        with torch.inference_mode():
            return list(_KINDS[recording.kind](recording))
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        reason = f"`{e.args[0]}` is missing" if isinstance(e, KeyError) else str(e)
        raise InvalidValue(f"`{folder}` is no case of F5-TTS: {reason}") from e
