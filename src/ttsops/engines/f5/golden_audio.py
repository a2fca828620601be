"""Recordings of what is around the network: mel spectrograms, the vocoder, resampling, cross-fades."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from ttsops.audio.sinc import sinc_resample
from ttsops.engines.f5.card import SAMPLE_RATE
from ttsops.engines.f5.config import MelConfig, read_vocos_config
from ttsops.engines.f5.mel import FLOOR, MelSpectrogram
from ttsops.engines.f5.recordings import Recording, rows_of
from ttsops.engines.f5.seams import join_chunks
from ttsops.engines.f5.vocos import Vocos
from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.engines.nn.weights import CheckpointWeights

MEL_TOLERANCE = 1e-5
SPECTRUM_ROUNDING = 1e-6
"""Of a frame's largest band: what fp32 transforms of different processors may differ by in any other band.

A logarithm makes that visible where a band is quieter than its frame by five orders of magnitude.
"""

VOCOS_FLOOR = 1e-7
AUDIO_TOLERANCE = 1e-5

_QUIET = re.compile(r"quiet_x1e(\d+)")
_WINDOW_FRAMES = 17
"""For decoding in windows: no divisor of anything else."""


def compare_mel(recording: Recording) -> Iterator[Comparison]:
    """Spectrograms of one sound, also made quieter, above this front end's floor and that of Vocos."""
    wav = recording.outputs["wav"]
    spectrogram = MelSpectrogram(MelConfig(sample_rate=int(recording.meta.get("sr", SAMPLE_RATE))))
    for name, recorded in recording.outputs.items():
        if name == "mel_filterbank":
            yield compare(name, spectrogram.filters, recorded, MEL_TOLERANCE)
        elif name == "window":
            yield compare(name, spectrogram.window, recorded, MEL_TOLERANCE)
        elif name.startswith("mel"):
            quiet = _QUIET.search(name)
            gain = 10.0 ** -int(quiet[1]) if quiet else 1.0
            mel = spectrogram(wav * gain, VOCOS_FLOOR if "vocos" in name else FLOOR).transpose(1, 2)
            yield compare_log_mel(name, mel[..., : recorded.shape[-1]], recorded)


def compare_log_mel(name: str, actual: Tensor, recorded: Tensor) -> Comparison:
    """Log-mels [..., mels, n]: each difference is taken against its own share of rounding.

    Compared with `MEL_TOLERANCE` is the difference, scaled down where `SPECTRUM_ROUNDING` explains it.
    """
    if actual.shape != recorded.shape:
        return compare(name, actual, recorded, MEL_TOLERANCE)
    loudest = recorded.amax(dim=-2, keepdim=True)
    allowed = MEL_TOLERANCE + SPECTRUM_ROUNDING * (loudest - recorded).exp()
    scaled = (actual - recorded) * (MEL_TOLERANCE / allowed)
    return compare(name, scaled, torch.zeros_like(recorded), MEL_TOLERANCE)


def compare_vocos(recording: Recording) -> Iterator[Comparison]:
    """Each recorded mel decoded at once, and in windows as it is streamed."""
    with CheckpointWeights(recording.folder / "vocos.safetensors") as weights:
        vocos = Vocos(weights, read_vocos_config(recording.folder / "vocos_config.yaml"))
    for name, recorded in recording.outputs.items():
        if not name.startswith("wav_"):
            continue
        mel = recording.outputs[f"mel_{name.removeprefix('wav_')}"].transpose(1, 2)
        last = mel.shape[1] - 1
        windows = [
            vocos.decode(mel, start, min(start + _WINDOW_FRAMES, last))
            for start in range(0, last, _WINDOW_FRAMES)
        ]
        yield compare(name, vocos(mel), recorded, AUDIO_TOLERANCE)
        yield compare(f"{name} in windows", torch.cat(windows, dim=1), recorded, AUDIO_TOLERANCE)


def compare_resampled(recording: Recording) -> Iterator[Comparison]:
    """Sounds of several rates at the model's."""
    target = int(recording.meta["target"])
    for name, recorded in recording.outputs.items():
        if name.startswith("out_"):
            rate = name.removeprefix("out_")
            samples = recording.outputs[f"in_{rate}"].squeeze(0).numpy()
            made = torch.from_numpy(sinc_resample(samples, int(rate), target))
            yield compare(name, made.reshape((*recorded.shape[:-1], -1)), recorded, AUDIO_TOLERANCE)


def compare_cross_fades(recording: Recording) -> Iterator[Comparison]:
    """Chunks joined into one."""
    tensors, rate = recording.outputs, int(recording.meta["sr"])
    for row in rows_of(recording.meta):
        case = f"case{row['case']}"
        chunks = [tensors[f"{case}_in{i}"].numpy() for i in range(len(row["lens"]))]
        made = join_chunks(chunks, int(row["cross_fade_duration"] * rate))
        yield compare(f"{case}_out", torch.from_numpy(made), tensors[f"{case}_out"], AUDIO_TOLERANCE)
