"""Recorded chunks, batches and utterances, sampled again from the noise that was recorded with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ttsops.engines.f5.checkpoint import load_model
from ttsops.engines.f5.durations import reference_duration
from ttsops.engines.f5.golden_audio import compare_log_mel
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.recordings import Recording
from ttsops.engines.f5.sampler import NO_GUIDANCE, Flow, advance, clamped_frames, start_flow, velocity
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.f5.seams import join_chunks
from ttsops.engines.nn.comparison import Comparison, compare

MEL_TOLERANCE = 1e-4
WAVE_TOLERANCE = 1e-6
TIME_TOLERANCE = 1e-7

PADDING = -1
"""Behind the token ids of a shorter text."""


def compare_sample(recording: Recording) -> Iterator[Comparison]:
    """One chunk: its texts, every recorded step, the mel and the wave."""
    model = load_model(recording.folder)
    flow = _flow(model, recording, 0)
    actual = _run_one(model, flow)
    skip = int(recording.meta["ref_audio_len"])
    actual["waveform"] = model.vocos(flow.mel()[None, skip:])
    yield from _compare_all(actual, recording.outputs)


def compare_batch(recording: Recording) -> Iterator[Comparison]:
    """Chunks of different lengths as one padded batch, against each recorded alone.

    The reference's own batch is right for its longest chunks only: it embeds the shorter texts with padding,
    and unless attention was masked sees padded frames. Of what was recorded of it the others are left out.
    """
    model = load_model(recording.folder)
    n = len(recording.inputs["noise"])
    flows = [_flow(model, recording, i) for i in range(n)]
    conditional, unconditional = velocity(model, flows)
    mine: list[dict[str, Tensor]] = [
        {
            "step0_pred_cond": conditional[i, : flow.n_frames],
            "step0_pred_uncond": unconditional[i, : flow.n_frames],
            "timesteps": torch.tensor(flow.times),
            **_texts(flow),
        }
        for i, flow in enumerate(flows)
    ]
    while not all(flow.is_done for flow in flows):
        advance(model, flows, together=True)
    for flow, actual in zip(flows, mine, strict=True):
        actual["mel"] = actual["mel_with_per_sample_text_embed"] = flow.mel()
        actual["waveform"] = model.vocos(flow.speech()[None])[0]
    longest = max(flow.n_frames for flow in flows)
    for name, recorded in recording.outputs.items():
        single = re.fullmatch(r"single(\d+)_(\w+)", name)
        if single and int(single[1]) < n:
            found = mine[int(single[1])].get(single[2])
            yield compare(name, None if found is None else found[None], recorded, _tolerance(single[2]))
        elif name == "timesteps":
            yield compare(name, mine[0][name], recorded, TIME_TOLERANCE)
        else:
            is_exact = name == "mel_with_per_sample_text_embed"
            for i, flow in enumerate(flows):
                if is_exact or flow.n_frames == longest:
                    row = recorded[i, : flow.n_frames]
                    yield compare(f"{name}[{i}]", mine[i].get(name), row, _tolerance(name))


def compare_utterance(recording: Recording) -> Iterator[Comparison]:
    """Several chunks of one text: loudness, durations, the mel of each, and the joined wave."""
    meta, inputs, outputs = recording.meta, recording.inputs, recording.outputs
    model = load_model(recording.folder)
    hop, rate = model.config.mel.hop, model.config.mel.sample_rate
    target, rms = float(meta["target_rms"]), inputs["ref_wav"].square().mean().sqrt()
    cond_wav = inputs["cond_wav"]
    yield compare("ref_rms", rms, torch.tensor(float(meta["ref_rms"])), WAVE_TOLERANCE)
    if inputs["ref_wav"].shape == cond_wav.shape:  # otherwise it was resampled as well
        louder = inputs["ref_wav"] * max(1.0, target / rms.item())
        yield compare("cond_wav", louder, cond_wav, WAVE_TOLERANCE)
    texts = meta["gen_text_batches"]
    frames = reference_duration(
        texts,
        meta["ref_text"],
        cond_wav.shape[1],
        speed=meta.get("speed", 1.0),
        fix_duration=meta.get("fix_duration"),
        cross_fade_duration=meta["cross_fade_duration"],
    )
    yield compare("chunk_durations", torch.tensor(frames), torch.tensor(meta["chunk_durations"]), 0)
    reference, n_ref = model.mel(cond_wav)[0], cond_wav.shape[1] // hop
    spoken, waves = [], []
    for i, n_frames in enumerate(meta["chunk_durations"]):
        flow = start_flow(
            model,
            reference,
            _ids(inputs[f"chunk{i}_text_ids"][0]),
            n_frames,
            _schedule(recording),
            cfg_strength=float(meta["cfg_strength"]),
            noise=inputs[f"chunk{i}_noise"][0],
        )
        while not flow.is_done:
            advance(model, [flow])
        mel = outputs[f"chunk{i}_mel"][0]
        yield compare_log_mel(f"chunk{i}_mel[reference]", flow.mel()[: n_ref + 1].t(), mel[: n_ref + 1].t())
        yield compare(f"chunk{i}_mel[speech]", flow.mel()[n_ref + 1 :], mel[n_ref + 1 :], MEL_TOLERANCE)
        spoken.append(flow.mel()[n_ref:])
        waves.append((model.vocos(spoken[-1][None])[0] * min(1.0, rms.item() / target)).numpy())
    joined = torch.from_numpy(join_chunks(waves, int(float(meta["cross_fade_duration"]) * rate)))
    actual = {"spectrogram": torch.cat(spoken).t(), "wave": joined, "wave_f64": joined}
    for name, recorded in outputs.items():
        if not re.fullmatch(r"chunk\d+_mel", name):
            yield compare(name, actual.get(name), recorded, _tolerance(name))


def _flow(model: F5Model, recording: Recording, i: int) -> Flow:
    inputs = recording.inputs
    n_ref = int(inputs["lens"][i])
    ids = _ids(inputs["text_ids"][i])
    n_frames = clamped_frames(int(inputs["duration"][i]), len(ids), n_ref)
    alone = inputs.get(f"single{i}_noise")
    return start_flow(
        model,
        inputs["ref_mel"][i, :n_ref],
        ids,
        n_frames,
        _schedule(recording),
        cfg_strength=float(recording.meta["cfg_strength"]),
        noise=(inputs["noise"][i] if alone is None else alone[0])[:n_frames],
    )


def _run_one(model: F5Model, flow: Flow) -> dict[str, Tensor]:
    """All that may have been recorded of it."""
    actual = _texts(flow, batched=True) | {"timesteps": torch.tensor(flow.times)}
    while not flow.is_done:
        i = flow.index
        conditional, unconditional = velocity(model, [flow])
        strength = flow.cfg_strength if flow.cfg_strength >= NO_GUIDANCE else 0.0
        actual |= {
            f"step{i}_pred_cond": conditional,
            f"step{i}_pred_uncond": unconditional,
            f"step{i}_velocity": conditional + strength * (conditional - unconditional),
        }
        advance(model, [flow])
        actual[f"x_after_step{flow.index}"] = flow.x[None]
    return actual | {"trajectory_final": flow.x[None], "mel": flow.mel()[None]}


def _texts(flow: Flow, *, batched: bool = False) -> dict[str, Tensor]:
    names = ("text_embed_cond", "text_embed_uncond")
    rows = flow.text[:, None] if batched else flow.text
    return dict(zip(names, rows, strict=False))


def _schedule(recording: Recording) -> Schedule:
    meta = recording.meta
    sway = meta["sway_sampling_coef"]
    return Schedule(int(meta["steps"]), 0.0 if sway is None else float(sway), bool(meta["use_epss"]))


def _ids(padded: Tensor) -> Sequence[int]:
    return [one for one in padded.tolist() if one != PADDING]


def _compare_all(actual: Mapping[str, Tensor], outputs: Mapping[str, Tensor]) -> Iterator[Comparison]:
    for name, recorded in outputs.items():
        yield compare(name, actual.get(name), recorded, _tolerance(name))


def _tolerance(name: str) -> float:
    if name.startswith("wave"):
        return WAVE_TOLERANCE
    return TIME_TOLERANCE if name == "timesteps" else MEL_TOLERANCE
