"""Weights that a frame of `vibevoice-realtime` reads, and what it multiplies, from the published sizes."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch

from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import FULL
from ttsops.engines.vibevoice_realtime.windows import SPEECH_WINDOW, TEXT_WINDOW

N_STEPS = 5
N_ROWS = 2
"""The guided and the unguided branch."""

PREFIXES = {
    "model.language_model.layers.": "text layers",
    "model.tts_language_model.": "speech layers",
    "model.prediction_head.": "diffusion head",
    "model.acoustic_tokenizer.decoder.": "acoustic decoder",
    "model.acoustic_connector.": "connector",
    "tts_eos_classifier.": "classifier",
}


class Shapes(RandomWeights):
    """The names and sizes of all weights, without the weights."""

    def __init__(self) -> None:
        super().__init__(0, device=torch.device("meta"))
        self.shapes: dict[str, tuple[int, ...]] = {}

    def take(self, name: str, *shape: int, **how: Any) -> torch.Tensor:
        self.shapes[name] = shape
        return torch.zeros(shape, device="meta" if shape else "cpu")


def weight_shapes() -> dict[str, tuple[int, ...]]:
    shapes = Shapes()
    RealtimeModel(shapes, FULL)
    return shapes.shapes


def work_per_frame(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[float, float]]:
    """Component → weights read, and floating point operations, of a frame of one stream."""
    reads: defaultdict[str, float] = defaultdict(float)
    flops: defaultdict[str, float] = defaultdict(float)
    for name, shape in shapes.items():
        component = next((found for prefix, found in PREFIXES.items() if name.startswith(prefix)), None)
        if component is None:
            continue
        n_reads, n_rows = _uses(name, component)
        reads[component] += math.prod(shape) * n_reads
        if len(shape) > 1:
            flops[component] += 2 * math.prod(shape) * n_rows
    return {component: (reads[component], flops[component]) for component in PREFIXES.values()}


def _uses(name: str, component: str) -> tuple[float, float]:
    """How often a weight is read in a frame, and for how many rows."""
    if component == "text layers":
        return 1 / SPEECH_WINDOW, TEXT_WINDOW / SPEECH_WINDOW
    if component == "speech layers":
        return 1, N_ROWS + TEXT_WINDOW / SPEECH_WINDOW
    if component == "diffusion head":
        if "t_embedder" in name:  # once for all frames
            return 0, 0
        if "adaLN" in name or "cond_proj" in name:  # once for all steps
            return 1, N_ROWS * (N_STEPS if "adaLN" in name else 1)
        return N_STEPS, N_ROWS * N_STEPS
    if component == "acoustic decoder":
        return 1, _time_steps(name)
    return 1, 1


def _time_steps(name: str) -> int:
    """Inputs of a frame that a convolution of the decoder is applied to."""
    parts = name.removeprefix("model.acoustic_tokenizer.decoder.").split(".")
    if parts[0] == "head":
        return math.prod(FULL.decoder.ratios)
    stage = int(parts[1])
    return math.prod(FULL.decoder.ratios[: max(0, stage - 1) if parts[0] == "upsample_layers" else stage])
