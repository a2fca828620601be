"""Compares an export, run by ONNX Runtime, with PyTorch on the same weights, and with recordings of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from ttsops.engines.f5.card import CARD, F5Options
from ttsops.engines.f5.golden_sampling import compare_batch, compare_sample
from ttsops.engines.f5.golden_utterance import compare_utterance
from ttsops.engines.f5.loading import load_weights
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.onnx_folder import Manifest, changed_files, check_origin, read_manifest, require
from ttsops.engines.f5.onnx_runtime import use_graphs
from ttsops.engines.f5.recordings import read_recording
from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.engines.setup import read_options
from ttsops.errors import InvalidValue
from ttsops.speech import OptionValue

VELOCITY_TOLERANCE = {"fp32": 1e-4, "fp16": 5e-2}
"""Of a velocity, whose size is about that of the noise."""

WAVE_TOLERANCE = 1e-5

BATCHES = ((2,), (64,), (250, 250), (97, 31, 160))
"""Frames of each row: alone, guided, and padded to the longest."""

WAVES = ((1, 2), (1, 131), (3, 60))
"""Waves and frames of each."""

_WINDOW_FRAMES = 17
_SEED = 0

_SAMPLED: dict[str, Callable[..., Iterator[Comparison]]] = {
    "sample": compare_sample,
    "batch": compare_batch,
    "e2e": compare_utterance,
}


def check(folder: Path, options: Mapping[str, OptionValue], cases: Sequence[Path]) -> list[Comparison]:
    """A line for each comparison of the export in `folder` with the weights that the engine's `options` name.

    Random weights, which the manifest tells, need no options; `cases` are recordings made with these weights.
    Raises `NotInstalled` without ONNX Runtime, `EngineUnavailable` for an export or weights that cannot be
    opened or do not belong together, `InvalidValue` for a case that is none or of other weights.
    """
    require("the check of an ONNX export", "onnxruntime")
    manifest = read_manifest(folder)
    changed = changed_files(folder, manifest)
    files = Comparison("files (SHA-256)", math.inf if changed else 0.0, 0)
    if changed:
        return [files]
    setup = _setup(manifest, options, cases)
    check_origin(manifest, setup)
    expected = load_weights(setup, torch.device("cpu"), torch.float32)
    actual = copy.copy(expected)
    use_graphs(actual, folder, manifest)
    with torch.inference_mode():
        found = [files, *_random(actual, expected, VELOCITY_TOLERANCE[manifest.dtype])]
        for case in cases:
            found += _recorded(actual, case, manifest)
    return found


def _setup(manifest: Manifest, options: Mapping[str, OptionValue], cases: Sequence[Path]) -> F5Options:
    origin = manifest.origin
    if not any(options.values()):
        if origin.random_weights:
            options = {"random_weights": origin.random_weights, "random_seed": origin.random_seed}
        elif cases:
            options = {"model": str(cases[0])}
        else:
            raise InvalidValue(
                f"the export is of {origin.description}",
                hint="name their file: `--model PATH`",
                param="model",
            )
    return read_options(CARD.name, options, F5Options)


def _random(actual: F5Model, expected: F5Model, tolerance: float) -> Iterator[Comparison]:
    """Noise through both graphs, in several sizes."""
    generator = torch.Generator().manual_seed(_SEED)
    config = expected.config.dit
    n_modulations = (6 * config.depth + 2) * config.dim

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    for lengths in BATCHES:
        n_rows, n_frames = len(lengths), max(lengths)
        x, cond = (noise(n_rows, n_frames, config.n_mels) for _ in range(2))
        text = noise(n_rows, n_frames, config.text_dim)
        modulations = 0.1 * noise(n_rows, n_modulations)  # gates of size one would double every block
        there = torch.arange(n_frames) < torch.tensor(lengths)[:, None]
        mask = None if there.all() else there
        found, wanted = (
            model.dit.forward(x, cond, text, modulations, mask)[there] for model in (actual, expected)
        )
        yield compare(f"velocity of {'+'.join(map(str, lengths))} frames", found, wanted, tolerance)
    for n_waves, n_frames in WAVES:
        mel = 2.0 * noise(n_waves, n_frames, config.n_mels) - 2.0
        wave = expected.vocos(mel)
        yield compare(f"wave of {n_waves} x {n_frames} frames", actual.vocos(mel), wave, WAVE_TOLERANCE)
    starts = range(0, n_frames - 1, _WINDOW_FRAMES)
    windows = [actual.vocos.decode(mel, i, min(i + _WINDOW_FRAMES, n_frames - 1)) for i in starts]
    yield compare("the same in windows", torch.cat(windows, dim=1), wave, WAVE_TOLERANCE)


def _recorded(actual: F5Model, case: Path, manifest: Manifest) -> Iterator[Comparison]:
    """Everything that was recorded on the way from noise to sound."""
    if manifest.dtype != "fp32":
        raise InvalidValue(f"recordings are in fp32, and the export is in {manifest.dtype}", param="case")
    check_origin(manifest, F5Options(model=str(case)))
    try:
        recording = read_recording(case)
        sampled = _SAMPLED.get(recording.kind)
        if sampled is None:
            raise InvalidValue(f"nothing is sampled in `{case}`: it records {recording.kind}", param="case")
        for one in sampled(recording, actual):
            tolerance = WAVE_TOLERANCE if one.name.split("_")[-1].startswith("wave") else one.tolerance
            yield replace(one, name=f"{case.name}: {one.name}", tolerance=tolerance)
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        raise InvalidValue(f"`{case}` is no case of F5-TTS: {e}") from e
