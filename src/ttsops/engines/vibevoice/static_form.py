"""A step for every dialogue of a batch in passes of fixed shape, for devices that a host cannot keep busy.

What is computed is what `generate` computes. A GPU does a kernel in less time than it takes to start one; a
pass that was captured once is started whole.

The host writes down who does what, sends it in one copy, and starts two passes: last frames are listened to,
and the language model reads. It waits for what was chosen, takes marks, draws noise, and starts two more. A
prompt is read row by row: it comes once, and has any length.

Slots are taken from the lowest up, so the language model runs over the first slots, up to the last one that
reads, and finds their caches where they lie. All else has little state: it is gathered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from ttsops.engines.nn.buckets import Buckets
from ttsops.engines.nn.cuda_graphs import GraphCache
from ttsops.engines.nn.kv_slots import aligned
from ttsops.engines.nn.static_sampler import padded_times, write_frame
from ttsops.engines.vibevoice.generate import (
    PROMPT_ROWS,
    TOKENS,
    Outcome,
    Token,
    give_tokens,
    read,
    sort_out,
    take_tokens,
)
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.static_passes import (
    FRAME_SLOT,
    HEARD,
    MAX_STEPS,
    NEGATIVE,
    POSITIVE,
    TIMES,
    StaticPasses,
)
from ttsops.engines.vibevoice.track import Track

FIRST_LENGTH = 512
"""Positions that are read at least: two voices of half a minute take as many."""

FIRST_STEPS = 5
"""Solver steps that are taken at least: fewer cost as much."""


class StaticForm:
    """A `StepForm`; see the module."""

    def __init__(
        self,
        model: VibeVoiceModel,
        slots: DialogueSlots,
        graphs: GraphCache,
        *,
        first_length: int = FIRST_LENGTH,
        n_prompt_rows: int = PROMPT_ROWS,
    ) -> None:
        self.graphs = graphs
        self.passes = StaticPasses(model, slots)
        self._model = model
        self._slots = slots
        self._n_prompt_rows = n_prompt_rows
        self._streams = Buckets(1, slots.n_streams)
        self._lengths = Buckets(first_length, aligned(slots.n_positions))
        self._steps = Buckets(FIRST_STEPS, MAX_STEPS)

    @torch.inference_mode()
    def warm_up(self) -> None:
        """Prepare every pass in every size; nothing of any dialogue is changed."""
        passes = self.passes
        passes.clear()
        streams, lengths, steps = (sizes.sizes[::-1] for sizes in (self._streams, self._lengths, self._steps))
        self.graphs.prepare(
            [
                *((one, (n,)) for one in (passes.decode, passes.listen) for n in streams),
                *((passes.denoise, (n, n_steps)) for n in streams for n_steps in steps),
                *((passes.read, (n, length)) for n in streams for length in lengths),
            ]
        )

    @torch.inference_mode()
    def advance(self, tracks: Sequence[Track]) -> list[Outcome]:
        """The next step of each of `tracks`, none of which is over."""
        outcomes, going = sort_out(tracks)
        at_prompt = [track for track, _ in going if track.n_unread]
        speaking = [track for track, _ in going if not track.n_unread]
        chosen = self._choose(speaking) | self._read_prompts(at_prompt)
        if frames := give_tokens(going, chosen):
            samples = self._make_frames([track for track, _ in frames])
            for (_, outcome), row in zip(frames, samples, strict=True):
                outcome.samples = row
        return outcomes

    def _choose(self, tracks: Sequence[Track]) -> dict[int, Token]:
        """Of tracks that speak: each hears its last frame, reads its next input, and chooses."""
        if not tracks:
            return {}
        self.passes.clear_places()
        places = self.passes.places.host
        heard = [track.slot for track in tracks if track.has_frame]
        places[HEARD, : len(heard)] = heard
        n_positions = 0
        for track in tracks:
            places[POSITIVE, track.slot] = track.position
            if track.is_guided:
                places[NEGATIVE, track.slot] = track.negative_position
            n_positions = max(n_positions, track.position + 1, track.negative_position + 1)
        self.passes.places.send(len(places))
        if heard:
            self.graphs.run(self.passes.listen, self._streams.fit(len(heard)))
        n_slots = 1 + max(track.slot for track in tracks)
        self.graphs.run(self.passes.read, self._streams.fit(n_slots), self._lengths.fit(n_positions))
        for track in tracks:
            track.has_frame = False
            track.position += 1
        best = self.passes.choices.fetch(n_slots)  # the host waits
        tokens = [TOKENS[best[track.slot]] for track in tracks]
        take_tokens(self._model, self._slots, tracks, tokens)
        return {track.slot: token for track, token in zip(tracks, tokens, strict=True)}

    def _read_prompts(self, tracks: Sequence[Track]) -> dict[int, Token]:
        """The next piece of each prompt, and what was chosen behind those that end with it."""
        if not tracks:
            return {}
        chosen, conditions = read(self._model, self._slots, tracks, n_prompt_rows=self._n_prompt_rows)
        at = [track.slot for track in tracks if chosen.get(track.slot) == "audio"]
        if at:
            self.passes.conditions[:, torch.tensor(at, device=self._model.device)] = conditions
        return chosen

    def _make_frames(self, tracks: Sequence[Track]) -> npt.NDArray[np.float32]:
        """Samples [B, hop] of the next frame of each track."""
        n_steps = self._steps.fit(max(track.sampling.n_steps for track in tracks))
        n_frames = self._streams.fit(len(tracks))
        passes = self.passes
        passes.clear_frames()
        for b, track in enumerate(tracks):
            passes.frames.host[FRAME_SLOT, b] = track.slot
            passes.frames.host[TIMES : TIMES + n_steps, b] = padded_times(track.sampling.n_steps, n_steps)
            write_frame(passes.numbers.host[:, b], track.sampling, track.noise, n_steps)
            track.has_frame = True
            track.n_frames += 1
        passes.frames.send(TIMES + n_steps)
        passes.numbers.send(1 + n_steps)
        self.graphs.run(passes.denoise, n_frames, n_steps)
        self.graphs.run(passes.decode, n_frames)
        return passes.output.fetch(len(tracks))  # the host waits
