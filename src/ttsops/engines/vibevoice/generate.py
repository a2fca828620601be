"""One step of every dialogue of a batch: hear the last frame, read, choose a token, denoise and decode.

A step begins with what the published code does at the end of the one before: the last frame is encoded again
for what it means, and with its latent becomes the next input. So a frame leaves before it is listened to. The
positive and the negative branch of all dialogues are rows of one pass.

A step gives a frame, or one of the marks around segments of speech, or reads a piece of the prompt.

Legend: B dialogues, N rows, C hidden size, D latent size, V rows of voices, n solver steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor

from ttsops.engines.contract import NO_SAMPLES
from ttsops.engines.nn.attention import Packing
from ttsops.engines.nn.noise import NoiseSource, draw_noise
from ttsops.engines.nn.sampler import Probe, Sampling
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.prompt import Prompt
from ttsops.engines.vibevoice.rows import Rows
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.track import Track
from ttsops.errors import TextTooLong
from ttsops.speech import Samples

PROMPT_ROWS = 128
"""Rows of a prompt that a step reads at most: others who speak wait no longer than for these."""

Token: TypeAlias = Literal["eos", "audio_bos", "audio_eos", "audio"]
TOKENS: tuple[Token, ...] = ("eos", "audio_bos", "audio_eos", "audio")
"""In the order of `SpeechTokens.ids`."""


@dataclass(slots=True)
class Outcome:
    """What became of one dialogue."""

    samples: Samples = field(default_factory=lambda: NO_SAMPLES)

    token: Token | None = None
    """What was chosen; None while the prompt is read, and at the end by `length`."""

    end: Literal["eos", "length"] | None = None
    """It is over: by its own choice, or because its context or its leave is used up."""


def start(
    slots: DialogueSlots,
    prompt: Prompt,
    voices: Tensor | None,
    sampling: Sampling,
    noise: NoiseSource,
    *,
    slot: int,
    prefix: Tensor | None = None,
    max_tokens: int | None = None,
) -> Track:
    """A track at the beginning of its prompt, or after its prefix, in a slot that was taken.

    `voices` [V, C] are the rows of all voices in the prompt; `prefix` is what was read of it before, see
    `prefix.py`. Without guidance the negative branch is left out: it has no weight. Raises `TextTooLong` for
    a prompt that leaves no place for speech, `ValueError` for a prefix of another prompt's length.
    """
    if len(prompt.ids) > slots.n_positions:
        raise TextTooLong(
            f"script and voices take {len(prompt.ids)} positions of {slots.n_positions}",
            hint="speak it in parts, or take shorter voices",
        )
    if prefix is not None and prefix.shape[3] != prompt.n_prefix:
        raise ValueError(f"a prefix of {prefix.shape[3]} positions is none of {prompt.n_prefix}")
    slots.begin(slot, prefix)
    return Track(
        slot=slot,
        prompt=prompt,
        voices=None if prefix is not None else voices,
        sampling=sampling,
        noise=noise,
        max_positions=slots.n_positions,
        max_tokens=slots.n_positions if max_tokens is None else max_tokens,
        is_guided=sampling.cfg_scale != 1.0,
        position=0 if prefix is None else prefix.shape[3],
    )


class StepForm(Protocol):
    """How a step is computed: row by row as here (`RaggedForm`), or in fixed shapes (`static_form`)."""

    def warm_up(self) -> None:
        """Before anybody speaks, on the thread that steps."""
        ...

    def advance(self, tracks: Sequence[Track]) -> list[Outcome]:
        """The next step of each of `tracks`, none of which is over."""
        ...


class RaggedForm:
    """Exactly the rows that there are: nothing is padded, and each reads its own positions only."""

    def __init__(self, model: VibeVoiceModel, slots: DialogueSlots) -> None:
        self._model = model
        self._slots = slots

    def warm_up(self) -> None:
        """There is nothing to prepare."""

    def advance(self, tracks: Sequence[Track]) -> list[Outcome]:
        """See `advance`."""
        return advance(self._model, self._slots, tracks)


def sort_out(tracks: Sequence[Track]) -> tuple[list[Outcome], list[tuple[Track, Outcome]]]:
    """An outcome for each of `tracks`; and those that can go on, each with its own."""
    outcomes = [Outcome(end="length" if track.is_full else None) for track in tracks]
    return outcomes, [pair for pair in zip(tracks, outcomes, strict=True) if not pair[1].end]


def give_tokens(
    going: Sequence[tuple[Track, Outcome]], chosen: Mapping[int, Token]
) -> list[tuple[Track, Outcome]]:
    """To each what was chosen in its slot; gives those that chose a frame."""
    for track, outcome in going:
        outcome.token = chosen.get(track.slot)
        if outcome.token == "eos":
            outcome.end = "eos"
    return [pair for pair in going if pair[1].token == "audio"]


@torch.inference_mode()
def advance(
    model: VibeVoiceModel,
    slots: DialogueSlots,
    tracks: Sequence[Track],
    probe: Probe | None = None,
    n_prompt_rows: int = PROMPT_ROWS,
) -> list[Outcome]:
    """The next step of each of `tracks`, none of which is over."""
    outcomes, going = sort_out(tracks)
    hear(model, slots, [track for track, _ in going], probe)
    chosen, conditions = read(model, slots, [track for track, _ in going], probe, n_prompt_rows)
    if speaking := give_tokens(going, chosen):
        audio = make_frames(model, slots, [track for track, _ in speaking], conditions, probe)
        for (_, outcome), samples in zip(speaking, audio.float().cpu().numpy(), strict=True):
            outcome.samples = samples
    return outcomes


def hear(
    model: VibeVoiceModel, slots: DialogueSlots, tracks: Sequence[Track], probe: Probe | None = None
) -> None:
    """Encode the last frame of each track that has one: with its latent it is the next input."""
    heard = [track for track in tracks if track.has_frame]
    if not heard:
        return
    at = _index([track.slot for track in heard], model.device)
    meaning = model.semantic(slots.frames[at], slots.listener, at)[:, 0]
    latents = slots.latents[at].to(model.dtype)
    slots.inputs[at] = model.acoustic_connector(latents) + model.semantic_connector(meaning)
    for track in heard:
        track.has_frame = False
    if probe:
        probe("semantic_features", meaning)


def read(
    model: VibeVoiceModel,
    slots: DialogueSlots,
    tracks: Sequence[Track],
    probe: Probe | None = None,
    n_prompt_rows: int = PROMPT_ROWS,
) -> tuple[dict[int, Token], Tensor]:
    """One pass of the language model over what comes next of each track.

    Gives what was chosen in each slot that had come to a choice, and the conditions [2, B, C], positive and
    negative, of those who chose a frame.
    """
    rows = Rows(tracks, n_prompt_rows, model.config.tokens.audio, slots.positive, slots.negative)
    if not rows.spans:
        return {}, slots.inputs.new_zeros(2, 0, slots.inputs.shape[1])
    hidden = model.layers(_inputs(model, slots, tracks, rows), Packing(rows.spans, model.device), slots.cache)
    for track, n_read, n_voice_rows in zip(tracks, rows.n_read, rows.n_voice_rows, strict=True):
        track.position += n_read
        track.n_voice_rows += n_voice_rows
    if not rows.choosing:
        return {}, hidden.new_zeros(2, 0, hidden.shape[1])
    positive = hidden[_index(rows.last, model.device)]
    logits = model.choose(positive)
    best: list[int] = logits.argmax(dim=1).tolist()  # the one read that the host waits for inside a step
    tokens = [TOKENS[i] for i in best]
    frames = [i for i, token in enumerate(tokens) if token == "audio"]
    negative = hidden[_index([rows.negative_last[i] for i in frames], model.device)]
    conditions = torch.stack((positive[_index(frames, model.device)], negative))
    take_tokens(model, slots, rows.choosing, tokens)
    if probe:
        probe("control_logits", logits)
        probe("tokens", _index([model.config.tokens.ids[i] for i in best], model.device))
    return {track.slot: token for track, token in zip(rows.choosing, tokens, strict=True)}, conditions


def make_frames(
    model: VibeVoiceModel,
    slots: DialogueSlots,
    tracks: Sequence[Track],
    conditions: Tensor,
    probe: Probe | None = None,
) -> Tensor:
    """Denoise and decode the next frame of each track from `conditions` [2, B, C]: [B, hop]."""
    at = _index([track.slot for track in tracks], model.device)
    wanted = [track.sampling for track in tracks]
    noise, step_noise = draw_noise([track.noise for track in tracks], wanted, model.device)
    used = conditions if any(track.is_guided for track in tracks) else conditions[:1]
    latents = model.sampler(used, wanted, noise, step_noise, probe)
    audio = model.decoder(model.to_codec(latents)[:, None], slots.decoder, at)
    slots.latents[at] = latents
    slots.frames[at] = audio
    for track in tracks:
        track.has_frame = True
        track.n_frames += 1
    if probe:
        probe("positive_condition", conditions[0])
        probe("negative_condition", conditions[1])
        probe("latents", latents)
        probe("audio", audio)
    return audio


def _inputs(model: VibeVoiceModel, slots: DialogueSlots, tracks: Sequence[Track], rows: Rows) -> Tensor:
    """What the layers read [N, C]."""
    pool = []
    if rows.prompt_ids:
        voices = [
            track.voices[track.n_voice_rows : track.n_voice_rows + n]
            for track, n in zip(tracks, rows.n_voice_rows, strict=True)
            if n and track.voices is not None
        ]
        pool.append(embed_prompt(model, rows.prompt_ids, torch.cat(voices) if voices else None))
    if rows.spoken_slots:
        pool.append(slots.inputs[_index(rows.spoken_slots, model.device)])
    return torch.cat(pool)[_index(rows.sources, model.device)]


def embed_prompt(model: VibeVoiceModel, ids: Sequence[int], voices: Tensor | None) -> Tensor:
    """Rows [N, C] of a prompt, or a piece of it, with `voices` [V, C] where frames of voices stand."""
    embedded = model.embed(_index(ids, model.device))
    at = [i for i, one in enumerate(ids) if one == model.config.tokens.audio]
    n_given = 0 if voices is None else len(voices)
    if len(at) != n_given:
        raise ValueError(f"{len(at)} frames of voices are in the prompt, and {n_given} were given")
    if voices is not None:
        embedded[_index(at, model.device)] = voices
    return embedded


def take_tokens(
    model: VibeVoiceModel, slots: DialogueSlots, tracks: Sequence[Track], tokens: Sequence[Token]
) -> None:
    """What each choice does to its dialogue; a frame is made by `make_frames`."""
    marked: list[tuple[int, int]] = []
    for track, token in zip(tracks, tokens, strict=True):
        track.n_tokens += 1
        if token == "audio":
            track.negative_position += track.is_guided
            continue
        if token == "audio_bos":
            track.negative_position = 0
        elif token == "audio_eos":
            # As the original code does. The conversion keeps the codec's memory over the pause.
            slots.end_segment(track.slot)
        marked.append((track.slot, getattr(model.config.tokens, token)))
    if marked:
        at = _index([slot for slot, _ in marked], model.device)
        slots.inputs[at] = model.embed(_index([token for _, token in marked], model.device))


def _index(numbers: Sequence[int], device: torch.device) -> Tensor:
    return torch.tensor(numbers, dtype=torch.long, device=device)
