"""A recorded utterance, run through the code that speaks, with its recorded noise.

The recordings go on to the end of the window in which the utterance ended; the product does not. So the
utterance is run twice: part by part past its end, for every tensor on the way, and as the engine runs it, for
the waveform.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ttsops.engines.nn.comparison import Comparison, compare, compare_frames, stack
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.nn.weights import CheckpointWeights
from ttsops.engines.vibevoice_realtime.config import read_config
from ttsops.engines.vibevoice_realtime.generate import advance, make_frames, read
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.track import Track, new_track
from ttsops.engines.vibevoice_realtime.voice_state import CachedPrompt, VoiceState, make_voice_state
from ttsops.engines.vibevoice_realtime.windows import SPEECH_WINDOW, TextWindows

FIRST_FRAME_TOLERANCE = 1e-4
AUDIO_TOLERANCE = 2e-3
"""Of latents and what is made from them, over all frames."""

HIDDEN_TOLERANCE = 1e-3
"""Of hidden states, keys and logits, over all frames."""

_AUDIO = ("latent", "scaled_latent", "chunk")
_HIDDEN = ("cond_pos", "cond_neg", "connector", "tts_speech_hidden", "neg_speech_hidden", "eos_logit")
_PER_WINDOW = ("lm_hidden", "tts_text_hidden")
_PER_STEP = ("head_out", "guided", "sample")

Tensors = Mapping[str, Tensor]


class EndOfRecording(Exception):
    """The utterance goes on after the last recorded frame: what was made until then is compared."""


class RecordedNoise:
    """The reference drew two rows each time and used the first."""

    def __init__(self, inputs: Tensors) -> None:
        self._noise = inputs["noise"][:, 0]  # [F, D]
        self._step_noise = inputs["step_noise"][:, :, 0] if "step_noise" in inputs else None  # [F, n, D]
        self._frame = 0

    def draw(self, n_steps: int) -> tuple[Tensor, Tensor]:
        """Raises `EndOfRecording` when there are no more frames."""
        if self._frame == len(self._noise):
            raise EndOfRecording
        noise = self._noise[self._frame]
        drawn = noise.new_zeros(0, len(noise)) if self._step_noise is None else self._step_noise[self._frame]
        self._frame += 1
        return noise, drawn[:n_steps]

    def put_back(self) -> None:
        """The last frame was not used."""
        self._frame -= 1


class RecordedCase:
    """What a case was made with."""

    def __init__(self, folder: Path, inputs: Tensors) -> None:
        self.inputs = inputs
        self.meta: Mapping[str, Any] = json.loads((folder / "meta.json").read_text())
        with CheckpointWeights(folder, layer=pack) as weights:
            self.model = RealtimeModel(weights, read_config(folder / "config.json"))
        self.voice = recorded_voice(inputs)
        self.first_position = self.voice.speech.shape[3]
        n_new = self.meta.get("max_new_tokens")
        limit = self.model.config.language_model.max_position_embeddings
        self.max_positions = limit if n_new is None else self.first_position + n_new

    def begin(self) -> tuple[StreamSlots, Track]:
        """The utterance at its first frame."""
        meta = self.meta
        slots = StreamSlots(self.model, 1, self.max_positions + SPEECH_WINDOW)
        slots.begin(0, self.voice)
        sampling = Sampling(
            meta["ddpm_inference_steps"], meta.get("algorithm_type", "dpmsolver++"), meta["cfg_scale"]
        )
        track = new_track(0, self.voice, sampling, RecordedNoise(self.inputs), self.max_positions)
        track.ends_early = True
        track.is_bounded = False
        track.is_guided = True  # the negative branch was recorded even where it has no weight
        track.windows.feed(self.inputs["text_ids"].tolist())
        track.windows.end()
        return slots, track


def recorded_voice(inputs: Tensors) -> VoiceState:
    """The voice of a case: tensors named `voice.PART.…`."""

    def prompt(part: str) -> CachedPrompt:
        def layers(kind: str) -> list[Tensor]:
            prefix = f"voice.{part}.{kind}_cache."
            return [inputs[f"{prefix}{i}"] for i in range(sum(name.startswith(prefix) for name in inputs))]

        return CachedPrompt(layers("key"), layers("value"), inputs[f"voice.{part}.last_hidden_state"])

    return make_voice_state(prompt("lm"), prompt("tts_lm"), prompt("neg_tts_lm"))


def compare_utterance(folder: Path, inputs: Tensors, outputs: Tensors) -> Iterator[Comparison]:
    """One line per recorded tensor; two for those with a row per frame, whose first row must be nearer."""
    case = RecordedCase(folder, inputs)
    actual = _run_parts(case)
    if (waveform := _speak(case)) is not None:
        actual["waveform"] = waveform
    for name, recorded in outputs.items():
        found = actual.get(name)
        if found is not None and name.startswith("final."):
            found = found[:, : recorded.shape[1]]
        if name in _AUDIO:
            yield from compare_frames(
                name, found, recorded, first=FIRST_FRAME_TOLERANCE, later=AUDIO_TOLERANCE
            )
        elif name in _HIDDEN:
            yield from compare_frames(
                name, found, recorded, first=FIRST_FRAME_TOLERANCE, later=HIDDEN_TOLERANCE
            )
        else:
            yield compare(name, found, recorded, _tolerance(name))


def _tolerance(name: str) -> float:
    if name == "waveform" or (name.startswith("diffusion.") and not name.startswith("diffusion.0.")):
        return AUDIO_TOLERANCE
    if name.startswith("diffusion.0.") or name in tuple(f"{one}.0" for one in _PER_WINDOW):
        return FIRST_FRAME_TOLERANCE
    return HIDDEN_TOLERANCE


def _speak(case: RecordedCase) -> Tensor | None:
    """The waveform, ended by the product's own decision."""
    slots, track = case.begin()
    samples: list[Tensor] = []
    with suppress(EndOfRecording):
        while not (outcome := advance(case.model, slots, [track])[0]).end:
            samples.append(torch.from_numpy(outcome.samples))
    return stack(samples)


def _run_parts(case: RecordedCase) -> dict[str, Tensor]:
    """Every tensor on the way, to the end of the window in which the utterance ended."""
    slots, track = case.begin()
    seen: defaultdict[str, list[Tensor]] = defaultdict(list)

    def note(name: str, tensor: Tensor) -> None:
        seen[name].append(tensor.clone())

    has_ended = False
    with suppress(EndOfRecording):
        while not track.is_full:
            is_new_window = track.windows.is_at_window
            has_ended |= read(case.model, slots, [track], note)[0]
            if has_ended and is_new_window:
                break
            make_frames(case.model, slots, [track], note)
    # The reference reads each latent in its own frame; here it waits for the next one, which never comes.
    track.windows = TextWindows()
    track.windows.end()
    if track.has_latent and not track.is_full:
        read(case.model, slots, [track], note)
    return _named(slots, track, seen)


def _named(slots: StreamSlots, track: Track, seen: Mapping[str, list[Tensor]]) -> dict[str, Tensor]:
    """As the recordings name them."""
    actual = {name: rows for name in _AUDIO + _HIDDEN if (rows := stack(seen[name])) is not None}
    for name in _PER_WINDOW:
        actual |= {f"{name}.{w}": hidden for w, hidden in enumerate(seen[name])}
    n_steps = track.sampling.n_steps
    for name in _PER_STEP:
        for frame in range(len(seen[name]) // n_steps):
            steps = seen[name][frame * n_steps : (frame + 1) * n_steps]
            actual[f"diffusion.{frame}.{name}"] = torch.stack([step.squeeze(-2) for step in steps])
    keys, _ = slots.speech.layer(0)
    actual["final.tts_lm.key_cache.0"] = keys[0, :, : track.speech_position]
    actual["final.neg_tts_lm.key_cache.0"] = keys[slots.negative(0), :, : track.negative_position]
    return actual
