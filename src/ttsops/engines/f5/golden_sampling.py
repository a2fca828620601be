"""Recorded chunks and batches, sampled again from the noise that was recorded with them.

The model is the one in the recording's folder, unless the caller gives another form of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ttsops.engines.f5.checkpoint import load_model
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.recordings import Recording
from ttsops.engines.f5.sampler import Flow, advance, clamped_frames, start_flow, velocity
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.nn.comparison import Comparison, compare

MEL_TOLERANCE = 1e-4
WAVE_TOLERANCE = 1e-6
TIME_TOLERANCE = 1e-7

PADDING = -1
"""Behind the token ids of a shorter text."""

EXACT = "mel_with_per_sample_text_embed"
"""What a batch's mel is when no text was embedded with padding: right in all rows."""


def compare_sample(recording: Recording, model: F5Model | None = None) -> Iterator[Comparison]:
    """One chunk: its texts, every recorded step, the mel and the wave."""
    model = model or load_model(recording.folder)
    flow = flow_of(model, recording, 0)
    (actual,) = _run(model, [flow])
    actual["waveform"] = model.vocos(flow.mel()[None, int(recording.meta["ref_audio_len"]) :])[0]
    for name, recorded in recording.outputs.items():
        found = actual.get(name)
        if found is not None and name != "timesteps":
            found = found[None]
        yield compare(name, found, recorded, tolerance_of(name))


def compare_batch(recording: Recording, model: F5Model | None = None) -> Iterator[Comparison]:
    """Chunks of different lengths as one padded batch, against each recorded alone.

    The reference's own batch is right for its longest chunks only: it embeds the shorter texts with padding,
    and unless attention was masked sees padded frames. Of what was recorded of it the others are left out.
    """
    model = model or load_model(recording.folder)
    flows = [flow_of(model, recording, i) for i in range(len(recording.inputs["noise"]))]
    actual = _run(model, flows)
    for flow, one in zip(flows, actual, strict=True):
        one["waveform"] = model.vocos(flow.speech()[None])[0]
    longest = max(flow.n_frames for flow in flows)
    for name, recorded in recording.outputs.items():
        single = re.fullmatch(r"single(\d+)_(\w+)", name)
        if single and int(single[1]) < len(flows):
            found = actual[int(single[1])].get(single[2])
            yield compare(name, None if found is None else found[None], recorded, tolerance_of(single[2]))
        elif name == "timesteps":
            yield compare(name, actual[0][name], recorded, TIME_TOLERANCE)
        else:
            for i, flow in enumerate(flows):
                if name == EXACT or flow.n_frames == longest:
                    found = actual[i].get("mel" if name == EXACT else name)
                    row = recorded[i] if found is None else recorded[i, : len(found)]
                    yield compare(f"{name}[{i}]", found, row, tolerance_of(name))


def flow_of(model: F5Model, recording: Recording, i: int) -> Flow:
    """Chunk `i` at its first step."""
    inputs = recording.inputs
    n_ref = int(inputs["lens"][i])
    ids = ids_of(inputs["text_ids"][i])
    n_frames = clamped_frames(int(inputs["duration"][i]), len(ids), n_ref)
    alone = inputs.get(f"single{i}_noise")
    return start_flow(
        model,
        inputs["ref_mel"][i, :n_ref],
        ids,
        n_frames,
        schedule_of(recording),
        cfg_strength=float(recording.meta["cfg_strength"]),
        noise=(inputs["noise"][i] if alone is None else alone[0])[:n_frames],
    )


def schedule_of(recording: Recording) -> Schedule:
    """As it was recorded: no sway is the grid as it is."""
    meta = recording.meta
    sway = meta["sway_sampling_coef"]
    return Schedule(int(meta["steps"]), 0.0 if sway is None else float(sway), bool(meta["use_epss"]))


def ids_of(padded: Tensor) -> Sequence[int]:
    """Token ids of one text."""
    return [one for one in padded.tolist() if one != PADDING]


def tolerance_of(name: str) -> float:
    """Of a recorded tensor."""
    if name.startswith("wave"):
        return WAVE_TOLERANCE
    return TIME_TOLERANCE if name == "timesteps" else MEL_TOLERANCE


def _run(model: F5Model, flows: Sequence[Flow]) -> list[dict[str, Tensor]]:
    """To their ends, as one batch; of each all that may have been recorded, [n, …]."""
    names = ("text_embed_cond", "text_embed_uncond")
    actual: list[dict[str, Tensor]] = [
        {"timesteps": torch.tensor(flow.times), **dict(zip(names, flow.text, strict=False))} for flow in flows
    ]
    while not all(flow.is_done for flow in flows):
        pairs = [
            torch.stack(pair)[:, : flow.n_frames]
            for flow, *pair in zip(flows, *velocity(model, flows), strict=True)
        ]
        for flow, one, (conditional, unconditional) in zip(flows, actual, pairs, strict=True):
            strength = flow.cfg_strength if flow.is_guided else 0.0
            one[f"step{flow.index}_pred_cond"] = conditional
            one[f"step{flow.index}_pred_uncond"] = unconditional
            one[f"step{flow.index}_velocity"] = conditional + strength * (conditional - unconditional)
        advance(model, flows, together=True)
        for flow, one in zip(flows, actual, strict=True):
            one[f"x_after_step{flow.index}"] = flow.x
    for flow, one in zip(flows, actual, strict=True):
        one |= {"trajectory_final": flow.x, "mel": flow.mel()}
    return actual
