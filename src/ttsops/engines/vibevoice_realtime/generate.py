"""One frame for every utterance of a batch: read what is new, ask whether it was the end, denoise, decode.

A frame begins with one pass of the language model over everything that is new since the last frame: the last
latent and, at the head of a window, its text. The published code reads the latent at the end of its own frame
and the text in a pass of its own; the positions and the attention are the same, the passes are fewer, and the
audio of a frame leaves before its latent is read.

Legend: B utterances, N rows, C hidden size, D latent size, n steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor

from ttsops.engines.contract import NO_SAMPLES
from ttsops.engines.nn.attention import Packing
from ttsops.engines.nn.noise import draw_noise
from ttsops.engines.nn.sampler import Probe
from ttsops.engines.vibevoice_realtime.model import SPEECH, TEXT, RealtimeModel
from ttsops.engines.vibevoice_realtime.rows import Rows
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.track import Track
from ttsops.speech import Samples


@dataclass(slots=True)
class Outcome:
    """What became of one utterance."""

    samples: Samples = field(default_factory=lambda: NO_SAMPLES)
    end: Literal["eos", "length"] | None = None
    """Its last frame was the one before: by the classifier, or because its context is full."""

    is_starved: bool = False
    """It waits for text."""


class StepForm(Protocol):
    """How a frame is computed: row by row as here (`RaggedForm`), or in fixed shapes (`static_form`)."""

    def warm_up(self) -> None:
        """Before anybody speaks, on the thread that steps."""
        ...

    def advance(self, tracks: Sequence[Track]) -> list[Outcome]:
        """The next frame of each of `tracks`, or why there is none."""
        ...


class RaggedForm:
    """Exactly the rows that there are: nothing is padded, and each reads its own positions only."""

    def __init__(self, model: RealtimeModel, slots: StreamSlots) -> None:
        self._model = model
        self._slots = slots

    def warm_up(self) -> None:
        """There is nothing to prepare."""

    def advance(self, tracks: Sequence[Track]) -> list[Outcome]:
        """See `advance`."""
        return advance(self._model, self._slots, tracks)


def sort_out(tracks: Sequence[Track]) -> tuple[list[Outcome], list[tuple[Track, Outcome]]]:
    """An outcome for each of `tracks`; and those that can go on, each with its own."""
    outcomes = [Outcome() for _ in tracks]
    going: list[tuple[Track, Outcome]] = []
    for track, outcome in zip(tracks, outcomes, strict=True):
        if track.windows.is_starved:
            outcome.is_starved = True
        elif track.is_full:
            outcome.end = "length"
        else:
            going.append((track, outcome))
    return outcomes, going


@torch.inference_mode()
def advance(
    model: RealtimeModel, slots: StreamSlots, tracks: Sequence[Track], probe: Probe | None = None
) -> list[Outcome]:
    """The next frame of each of `tracks`, or why there is none."""
    outcomes, going = sort_out(tracks)
    fired = read(model, slots, [track for track, _ in going], probe)
    speaking: list[tuple[Track, Outcome]] = []
    for (track, outcome), is_end in zip(going, fired, strict=True):
        if is_end:
            outcome.end = "eos"
        else:
            speaking.append((track, outcome))
    if speaking:
        audio = make_frames(model, slots, [track for track, _ in speaking], probe).float().cpu().numpy()
        for (_, outcome), samples in zip(speaking, audio, strict=True):
            outcome.samples = samples
    return outcomes


def read(
    model: RealtimeModel, slots: StreamSlots, tracks: Sequence[Track], probe: Probe | None = None
) -> list[bool]:
    """Read each track's last latent and next text; True for those whose last frame was the end."""
    rows = Rows(tracks, slots.positive, slots.negative)
    may_end = [track.may_end for track in tracks]
    logits: list[float] = []
    if rows.spans:
        hidden = model.speech_layers(
            _inputs(model, slots, rows, probe), Packing(rows.spans, model.device), slots.speech
        )
        logits = _take_hidden(model, slots, rows, hidden, probe)
    fired = iter(logits)
    is_over = []
    for track, may in zip(tracks, may_end, strict=True):
        is_end = track.has_latent and next(fired) > 0  # the sigmoid is above one half
        track.move_on()
        is_over.append(is_end and may)
    return is_over


def make_frames(
    model: RealtimeModel, slots: StreamSlots, tracks: Sequence[Track], probe: Probe | None = None
) -> Tensor:
    """Denoise and decode the next frame of each track: [B, hop]."""
    at = _index([track.slot for track in tracks], model.device)
    is_guided = any(track.is_guided for track in tracks)
    conditions = slots.conditions[:, at] if is_guided else slots.conditions[:1, at]
    noise, step_noise = draw_noise(
        [track.noise for track in tracks], [track.sampling for track in tracks], model.device
    )
    latents = model.sampler(conditions, [track.sampling for track in tracks], noise, step_noise, probe)
    slots.latents[at] = latents
    scaled = model.decoder_input(latents)
    audio = model.decoder(scaled[:, None], slots.decoder, at)
    for track in tracks:
        track.count_frame()
    if probe:
        probe("cond_pos", conditions[0])
        probe("cond_neg", conditions[-1])
        probe("latent", latents)
        probe("scaled_latent", scaled)
        probe("chunk", audio)
    return audio


def _inputs(model: RealtimeModel, slots: StreamSlots, rows: Rows, probe: Probe | None) -> Tensor:
    """What the speech layers read [N, C]."""
    pool = []
    if rows.latent_slots:
        latents = slots.latents[_index(rows.latent_slots, model.device)]
        connected = model.connector(latents.to(model.dtype))
        pool.append(connected + model.input_types[SPEECH])
        if probe:
            probe("connector", connected)
    if rows.text_ids:
        embedded = model.embedding[_index(rows.text_ids, model.device)].to(model.dtype)
        hidden = model.text_layers(embedded, Packing(rows.text_spans, model.device), slots.text)
        pool.append(hidden + model.input_types[TEXT])
        if probe:
            probe("lm_hidden", hidden)
    return torch.cat(pool)[_index(rows.sources, model.device)]


def _take_hidden(
    model: RealtimeModel, slots: StreamSlots, rows: Rows, hidden: Tensor, probe: Probe | None
) -> list[float]:
    """Keep the new conditions; gives the end-of-speech logit of each latent read."""
    slots.conditions[0, _index(rows.last_slots, model.device)] = hidden[_index(rows.last, model.device)]
    if rows.negative:
        negative = hidden[_index(rows.negative, model.device)]
        slots.conditions[1, _index(rows.negative_slots, model.device)] = negative
        if probe:
            probe("neg_speech_hidden", negative)
    if rows.text_rows and probe:
        probe("tts_text_hidden", hidden[_index(rows.text_rows, model.device)])
    if not rows.after_latent:
        return []
    spoken = hidden[_index(rows.after_latent, model.device)]
    logits = model.eos(spoken)
    if probe:
        probe("tts_speech_hidden", spoken)
        probe("eos_logit", logits)
    found: list[float] = logits.tolist()  # the one read that the host waits for inside a step
    return found


def _index(numbers: Sequence[int], device: torch.device) -> Tensor:
    return torch.tensor(numbers, dtype=torch.long, device=device)
