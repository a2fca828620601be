"""What the language model remembers of the task and the voices: the same for all that they say.

Legend: L layers, G key/value heads, P positions, D dimensions of a head, V rows of voices, C hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ttsops.engines.nn.attention import Packing
from ttsops.engines.nn.kv_slots import KvSlots, Span
from ttsops.engines.vibevoice.generate import PROMPT_ROWS, embed_prompt
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.pieces import Gradual, Pieces, finish


@torch.inference_mode()
def read_prefix(
    model: VibeVoiceModel, ids: Sequence[int], voices: Tensor | None, n_prompt_rows: int = PROMPT_ROWS
) -> Tensor:
    """What the cache holds after `ids` [L, 2, G, P, D]; `voices` [V, C] are the rows of those in them."""
    return finish(read_in_pieces(model, ids, voices, n_prompt_rows))


def read_in_pieces(
    model: VibeVoiceModel, ids: Sequence[int], voices: Tensor | None, n_prompt_rows: int = PROMPT_ROWS
) -> Pieces:
    """The same, at most `n_prompt_rows` at a time."""
    sizes = model.config.language_model
    cache = KvSlots(
        model.layers.n_layers,
        1,
        sizes.num_key_value_heads,
        len(ids),
        sizes.head_dim,
        dtype=model.dtype,
        device=model.device,
    )
    x = embed_prompt(model, ids, voices)
    for start_at in range(0, len(ids), n_prompt_rows):
        piece = x[start_at : start_at + n_prompt_rows]
        model.layers(piece, Packing([Span(0, start_at, len(piece))], model.device), cache)
        yield
    return cache.data[:, :, 0]


def prefix_in_pieces(model: VibeVoiceModel, ids: Sequence[int], voices: Sequence[Gradual]) -> Pieces:
    """Voices are heard first, those that others have not heard already; then all is read."""
    for voice in voices:
        while not voice.is_done:
            voice.advance()
            yield
    rows = torch.cat([voice.result for voice in voices]) if voices else None
    return (yield from read_in_pieces(model, ids, rows))
