"""A frame for every utterance of a batch in passes of fixed shape, for devices that a host cannot keep busy.

What is computed is what `generate` computes. A GPU does a kernel in less time than it takes to start one; a
pass that was captured once is started whole.

The host writes down who does what, sends it in one copy, and starts at most four passes; while the language
model reads, it draws the noise. It waits once, for the samples. Whether a stream had come to its end is
known only then, so its frame is made anyway and thrown away; nothing of it is kept, and its noise is put
back.

Slots are taken from the lowest up, so the language model runs over the first slots, up to the last one that
reads, and finds their caches where they lie. The sampler and the decoder have little state: it is gathered,
and they run over the frames that are made.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ttsops.engines.nn.buckets import Buckets
from ttsops.engines.nn.cuda_graphs import GraphCache
from ttsops.engines.nn.kv_slots import aligned
from ttsops.engines.nn.static_sampler import padded_times, write_frame
from ttsops.engines.vibevoice_realtime.generate import Outcome, sort_out
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.static_passes import (
    FRAME_SLOT,
    MAX_STEPS,
    NEGATIVE,
    POSITIVE,
    TIMES,
    WINDOW_IDS,
    WINDOW_SIZE,
    WINDOW_SLOT,
    WINDOW_SPEECH_START,
    WINDOW_TEXT_START,
    StaticPasses,
)
from ttsops.engines.vibevoice_realtime.track import Track

FIRST_LENGTH = 512
"""Positions that are read at least: a voice takes up to half of it."""

FIRST_STEPS = 5
"""Solver steps that are taken at least: fewer cost as much."""


class StaticForm:
    """A `StepForm`; see the module."""

    def __init__(
        self, model: RealtimeModel, slots: StreamSlots, graphs: GraphCache, first_length: int = FIRST_LENGTH
    ) -> None:
        self.graphs = graphs
        self.passes = StaticPasses(model, slots)
        self._streams = Buckets(1, slots.n_streams)
        self._lengths = Buckets(first_length, aligned(slots.n_positions))
        self._steps = Buckets(FIRST_STEPS, MAX_STEPS)

    @torch.inference_mode()
    def warm_up(self) -> None:
        """Prepare every pass in every size; nothing of any stream is changed."""
        passes = self.passes
        passes.clear()
        streams, lengths, steps = (sizes.sizes[::-1] for sizes in (self._streams, self._lengths, self._steps))
        self.graphs.prepare(
            [
                *((passes.decode, (n,)) for n in streams),
                *((passes.denoise, (n, n_steps)) for n in streams for n_steps in steps),
                *((passes.read_windows, (m, length)) for m in streams for length in lengths),
                *((passes.read_latents, (n, length)) for n in streams for length in lengths),
            ]
        )

    @torch.inference_mode()
    def advance(self, tracks: Sequence[Track]) -> list[Outcome]:
        """The next frame of each of `tracks`, or why there is none."""
        outcomes, going = sort_out(tracks)
        if going:
            self._make_frames(going)
        return outcomes

    def _make_frames(self, going: Sequence[tuple[Track, Outcome]]) -> None:
        tracks = [track for track, _ in going]
        n_steps = self._steps.fit(max(track.sampling.n_steps for track in tracks))
        n_frames = self._streams.fit(len(tracks))
        self.passes.clear_integers()
        latents, windows = self._plan_latents(tracks), self._plan_windows(tracks)
        self._plan_frames(tracks, n_steps)
        self.passes.integers.send(TIMES + n_steps)
        if latents:
            self.graphs.run(self.passes.read_latents, *latents)
        if windows:
            self.graphs.run(self.passes.read_windows, *windows)
        may_end = [track.may_end for track in tracks]
        for track in tracks:
            track.move_on()
        self._draw(tracks, n_steps)
        self.passes.numbers.send(1 + n_steps)
        self.graphs.run(self.passes.denoise, n_frames, n_steps)
        self.graphs.run(self.passes.decode, n_frames)
        output = self.passes.output.fetch(len(tracks))  # the one place where the host waits
        for (track, outcome), may, row in zip(going, may_end, output, strict=True):
            if may and row[-1] > 0:  # the sigmoid is above one half
                outcome.end = "eos"
                track.noise.put_back()
            else:
                outcome.samples = row[:-1]
                track.count_frame()

    def _plan_latents(self, tracks: Sequence[Track]) -> tuple[int, int] | None:
        """Who reads a latent where; gives slots and positions of the pass."""
        integers = self.passes.integers.host
        n_slots = n_positions = 0
        for track in tracks:
            if track.has_latent:
                integers[POSITIVE, track.slot] = track.speech_position
                if track.is_guided:
                    integers[NEGATIVE, track.slot] = track.negative_position
                n_slots = max(n_slots, track.slot + 1)
                n_positions = max(n_positions, track.speech_position + 1, track.negative_position + 1)
        return (self._streams.fit(n_slots), self._lengths.fit(n_positions)) if n_slots else None

    def _plan_windows(self, tracks: Sequence[Track]) -> tuple[int, int] | None:
        """Who reads text; gives windows and positions of the pass."""
        integers = self.passes.integers.host
        n_windows = n_positions = 0
        for track in tracks:
            if ids := track.windows.peek():
                start = track.speech_position + track.has_latent
                column = integers[:, n_windows]
                column[WINDOW_SLOT] = track.slot
                column[WINDOW_SIZE] = len(ids)
                column[WINDOW_TEXT_START] = track.text_position
                column[WINDOW_SPEECH_START] = start
                column[WINDOW_IDS : WINDOW_IDS + len(ids)] = ids
                n_windows += 1
                n_positions = max(n_positions, start + len(ids), track.text_position + len(ids))
        return (self._streams.fit(n_windows), self._lengths.fit(n_positions)) if n_windows else None

    def _plan_frames(self, tracks: Sequence[Track], n_steps: int) -> None:
        integers = self.passes.integers.host
        for b, track in enumerate(tracks):
            integers[FRAME_SLOT, b] = track.slot
            integers[TIMES : TIMES + n_steps, b] = padded_times(track.sampling.n_steps, n_steps)

    def _draw(self, tracks: Sequence[Track], n_steps: int) -> None:
        """The noise of each frame and of its steps, with the tables they are weighed by."""
        for b, track in enumerate(tracks):
            write_frame(self.passes.numbers.host[:, b], track.sampling, track.noise, n_steps)
