"""Recorded tables: the solver's coefficients and path, and the text of prompts.

The published code leaves gaps in the speakers' numbers where a script does; a product that numbers voices
without gaps cannot. Such a script is compared with the numbers the recording has.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.engines.nn.dpm_solver import coefficients, sigmas, timesteps
from ttsops.engines.nn.sampler import solver_step
from ttsops.engines.vibevoice.prompt import Line, Piece, prefix_pieces, script_lines, script_pieces
from ttsops.text import Script, Turn, read_turns

TABLE_TOLERANCE = 5e-5
FIRST_ORDER = 0.0
"""Stands for the ratio that a step of first order does not have; recorded as NaN."""

HOP_LENGTH = 3200
"""Samples of a frame in all published models."""

SPECIAL = {"audio_bos": "<|vision_start|>", "audio": "<|vision_pad|>", "audio_eos": "<|vision_end|>"}
"""What Qwen2.5's tokenizer calls the tokens that the model was trained to use for speech."""


def compare_solver(path: Path) -> Iterator[Comparison]:
    """For each recorded number of steps: times, noise levels, coefficients, and the path of a sample."""
    recorded = load_file(path)
    counts = sorted(
        int(name.removeprefix("timesteps_")) for name in recorded if name.startswith("timesteps_")
    )
    if not counts:
        raise ValueError(f"`{path.name}` has no `timesteps_…`")
    for n in counts:
        actual = {
            f"timesteps_{n}": torch.from_numpy(timesteps(n)),
            f"sigmas_{n}": torch.from_numpy(sigmas(n)),
            f"coef_{n}": _coefficients(n),
            f"trajectory_{n}": _trajectory(n, recorded),
        }
        for name, found in actual.items():
            if name in recorded:
                truth = recorded[name].nan_to_num(FIRST_ORDER) if name.startswith("coef_") else recorded[name]
                yield compare(name, found, truth, 0.0 if "timesteps" in name else TABLE_TOLERANCE)


def compare_prompts(path: Path) -> Iterator[Comparison]:
    """For each recorded script: what was read of it, and the prompt, character by character."""
    cases: Sequence[Mapping[str, Any]] = json.loads(path.read_text())["cases"]
    for case in cases:
        turns, _ = read_turns(case["script"])
        if "error" in case:
            yield _same(f"{case['name']}: no turn is found", not turns)
            continue
        recorded = [(int(number), str(text)) for number, text in case["parsed"]]
        lines = _numbered(turns, recorded)
        frames = [math.ceil(n / HOP_LENGTH) for n in case["voice_samples_len"] or []]
        used = frames[: len({turn.speaker for turn in turns})]
        yield _same(f"{case['name']}: turns", [(number, f" {text}") for number, text in lines] == recorded)
        pieces = [*prefix_pieces(used), *script_pieces(lines)]
        yield _same(f"{case['name']}: prompt", "".join(map(_written, pieces)) == case["prompt"])
        yield _same(f"{case['name']}: voices", len(used) == case["n_voices_used"])
        yield _same(f"{case['name']}: frames of voices", sum(used) == case["n_audio_placeholders"])


def _numbered(turns: Sequence[Turn], recorded: Sequence[Line]) -> list[Line]:
    lines = script_lines(Script(tuple(turns)))
    numbers = sorted({number for number, _ in recorded})
    if numbers == list(range(len(numbers))):
        return lines
    return [(numbers[number], text) for number, text in lines]


def _written(piece: Piece) -> str:
    return piece if isinstance(piece, str) else SPECIAL[piece.name] * piece.count


def _same(name: str, is_same: bool) -> Comparison:
    return Comparison(name, 0.0 if is_same else math.inf, 0.0)


def _coefficients(n_steps: int) -> Tensor:
    """alpha, sigma, the factors of sample and data, and the last step's length over this one's [n, 5]."""
    rows = []
    for row in coefficients(n_steps, "dpmsolver++"):
        to_data = row.c0 + row.c1
        ratio = -to_data / (2 * row.c1) if row.c1 else FIRST_ORDER
        rows.append((row.alpha, row.sigma, row.cx, to_data, ratio))
    return torch.tensor(rows, dtype=torch.float64)


def _trajectory(n_steps: int, recorded: Mapping[str, Tensor]) -> Tensor:
    """The path of the recorded sample under the recorded network."""
    x, previous = recorded["x0"], torch.zeros_like(recorded["x0"])
    path = []
    for t, row in zip(timesteps(n_steps), coefficients(n_steps, "dpmsolver++"), strict=True):
        velocity = torch.tanh(x @ recorded["A"] + recorded["b"] * int(t) / 1000)
        x, previous = solver_step(torch.tensor(row)[:, None, None], x, velocity, previous, None)
        path.append(x)
    return torch.cat(path)
