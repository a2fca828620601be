"""A recorded utterance of several chunks: from a voice's samples to the joined wave.

The model is the one in the recording's folder, unless the caller gives another form of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from ttsops.audio.sinc import sinc_resample
from ttsops.engines.f5.checkpoint import load_model
from ttsops.engines.f5.durations import reference_duration
from ttsops.engines.f5.golden_audio import AUDIO_TOLERANCE, compare_log_mel
from ttsops.engines.f5.golden_sampling import (
    MEL_TOLERANCE,
    WAVE_TOLERANCE,
    ids_of,
    schedule_of,
    tolerance_of,
)
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.recordings import Recording, read_wav
from ttsops.engines.f5.sampler import advance, start_flow
from ttsops.engines.f5.seams import join_chunks
from ttsops.engines.nn.comparison import Comparison, compare

_CHUNK_MEL = re.compile(r"chunk\d+_mel")


def compare_utterance(recording: Recording, model: F5Model | None = None) -> Iterator[Comparison]:
    """Loudness, durations, the mel of each chunk, and the wave."""
    meta, inputs, outputs = recording.meta, recording.inputs, recording.outputs
    model = model or load_model(recording.folder)
    rate, hop = model.config.mel.sample_rate, model.config.mel.hop
    cond_wav = inputs["cond_wav"]
    ref_wav = inputs["ref_wav"].mean(dim=0, keepdim=True)
    rms, target = ref_wav.square().mean().sqrt(), float(meta["target_rms"])
    yield compare("ref_rms", rms, torch.tensor(float(meta["ref_rms"])), WAVE_TOLERANCE)
    louder = _resampled(recording, ref_wav * max(1.0, target / rms.item()), rate)
    yield compare("cond_wav", louder, cond_wav, AUDIO_TOLERANCE)
    frames = reference_duration(
        meta["gen_text_batches"],
        meta["ref_text"],
        cond_wav.shape[1],
        speed=meta.get("speed", 1.0),
        fix_duration=meta.get("fix_duration"),
        cross_fade_duration=meta["cross_fade_duration"],
    )
    yield compare("chunk_durations", torch.tensor(frames), torch.tensor(meta["chunk_durations"]), 0)
    n_ref = cond_wav.shape[1] // hop
    reference = model.mel(cond_wav)[0]
    spoken, waves = [], []
    for i in range(len(frames)):
        mel, recorded = _sampled(model, recording, reference, i), outputs[f"chunk{i}_mel"][0]
        given = slice(0, n_ref + 1)
        yield compare_log_mel(f"chunk{i}_mel[reference]", mel[given].t(), recorded[given].t())
        yield compare(f"chunk{i}_mel[speech]", mel[n_ref + 1 :], recorded[n_ref + 1 :], MEL_TOLERANCE)
        spoken.append(mel[n_ref:])
        waves.append((model.vocos(mel[None, n_ref:])[0] * min(1.0, rms.item() / target)).numpy())
    joined = torch.from_numpy(join_chunks(waves, int(float(meta["cross_fade_duration"]) * rate)))
    actual = {"spectrogram": torch.cat(spoken).t(), "wave": joined, "wave_f64": joined}
    for name, of_all in outputs.items():
        if not _CHUNK_MEL.fullmatch(name):
            yield compare(name, actual.get(name), of_all, tolerance_of(name))


def _sampled(model: F5Model, recording: Recording, reference: Tensor, i: int) -> Tensor:
    """The mel of chunk `i` [n, mels]."""
    flow = start_flow(
        model,
        reference,
        ids_of(recording.inputs[f"chunk{i}_text_ids"][0]),
        int(recording.meta["chunk_durations"][i]),
        schedule_of(recording),
        cfg_strength=float(recording.meta["cfg_strength"]),
        noise=recording.inputs[f"chunk{i}_noise"][0],
    )
    while not flow.is_done:
        advance(model, [flow])
    return flow.mel()


def _resampled(recording: Recording, wav: Tensor, rate: int) -> Tensor:
    """At the model's rate, from that of the voice's file if it is there."""
    files = sorted(recording.folder.glob("*.wav"))
    from_rate = read_wav(files[0])[1] if files else rate
    return torch.from_numpy(sinc_resample(wav[0].numpy(), from_rate, rate))[None]
