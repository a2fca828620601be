"""Compares this engine's own code with a recorded case of the reference implementation.

A case is a folder: `config.json` (the model's), `model.safetensors`, `inputs.safetensors` with the exact
noise of every draw, `outputs.safetensors` and `meta.json` with its settings. What kind of case it is, is
read from its tensors: a whole utterance, or one part alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ttsops.engines.nn.acoustic_decoder import AcousticDecoder
from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.engines.nn.diffusion_head import DiffusionHead, time_sinusoid
from ttsops.engines.nn.dpm_solver import Solver, alphas_cumprod, coefficients, cosine_betas, sigmas, timesteps
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.published_config import parse_decoder, parse_head
from ttsops.engines.nn.sampler import solver_step
from ttsops.engines.nn.weights import CheckpointWeights
from ttsops.engines.vibevoice_realtime.golden_utterance import compare_utterance
from ttsops.errors import InvalidValue

UNIT_TOLERANCE = 5e-5

Tensors = Mapping[str, Tensor]


def check_case(folder: Path) -> list[Comparison]:
    """One line per recorded tensor. Raises `InvalidValue` if the folder is not a case of this engine."""
    try:
        inputs = load_file(folder / "inputs.safetensors")
        outputs = load_file(folder / "outputs.safetensors")
        with torch.inference_mode():
            return list(_compare(folder, inputs, outputs))
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        reason = f"`{e.args[0]}` is missing" if isinstance(e, KeyError) else str(e)
        raise InvalidValue(f"`{folder}` is no case of VibeVoice-Realtime: {reason}") from e


def _compare(folder: Path, inputs: Tensors, outputs: Tensors) -> Iterator[Comparison]:
    if {"text_ids", "noise"} <= inputs.keys():
        return compare_utterance(folder, inputs, outputs)
    if {"noisy", "timesteps", "condition"} <= inputs.keys():
        return _compare_head(folder, inputs, outputs)
    if "latents" in inputs and "whole" in outputs:
        return _compare_decoder(folder, inputs, outputs)
    if any(name.endswith(".x_init") for name in inputs):
        return _compare_solver(inputs, outputs)
    raise ValueError("its tensors are those of no known kind of case")


def _config(folder: Path) -> Mapping[str, Any]:
    tree: Mapping[str, Any] = json.loads((folder / "config.json").read_text())
    return tree


def _compare_all(actual: Tensors, outputs: Tensors) -> Iterator[Comparison]:
    for name, recorded in outputs.items():
        yield compare(name, actual.get(name), recorded, UNIT_TOLERANCE)


def _compare_head(folder: Path, inputs: Tensors, outputs: Tensors) -> Iterator[Comparison]:
    with CheckpointWeights(folder, layer=pack) as weights:
        head = DiffusionHead(
            weights, "model.prediction_head", parse_head(_config(folder)["diffusion_head_config"])
        )
        weights.finish()
    time = head.embed_time(inputs["timesteps"])
    condition = head.condition(inputs["condition"])
    modulations = head.modulations(condition, time)
    parts = head.split(modulations)
    h = head.input(inputs["noisy"])
    actual = {
        "t_sinusoid": time_sinusoid(inputs["timesteps"]),
        "t_embed": time,
        "cond_proj": condition,
        "x_in": h,
        "output": head.velocity(inputs["noisy"], modulations),
    }
    for i, layer in enumerate(head.layers):
        h = actual[f"layer.{i}"] = layer(h, *parts[3 * i : 3 * i + 3])
    return _compare_all(actual, outputs)


def _compare_decoder(folder: Path, inputs: Tensors, outputs: Tensors) -> Iterator[Comparison]:
    with CheckpointWeights(folder, layer=pack) as weights:
        config = parse_decoder(_config(folder)["acoustic_tokenizer_config"])
        decoder = AcousticDecoder(weights, "model.acoustic_tokenizer.decoder", config)
        weights.finish()
    latents, slot = inputs["latents"][None], torch.tensor([0])
    streaming = decoder.new_slots(1)
    chunks = [decoder(latents[:, i : i + 1], streaming, slot) for i in range(latents.shape[1])]
    actual = {"chunks": torch.cat(chunks), "whole": decoder(latents, decoder.new_slots(1), slot)[0]}
    state, x = decoder.new_slots(1), latents
    for i, (up, stage) in enumerate(zip(decoder.ups, decoder.stages, strict=True)):
        x = up(x, state, slot)
        actual[f"whole.after_upsample.{i}"] = x[0].t()
        for block in stage:
            x = block(x, state, slot)
        actual[f"whole.after_stage.{i}"] = x[0].t()
    for name, recorded in outputs.items():
        if name in actual and ".after_" in name:  # only the first time steps were recorded
            actual[name] = actual[name][:, : recorded.shape[1]]
    return _compare_all(actual, outputs)


def _compare_solver(inputs: Tensors, outputs: Tensors) -> Iterator[Comparison]:
    actual = {
        "betas": torch.from_numpy(cosine_betas()),
        "alphas_cumprod": torch.from_numpy(alphas_cumprod()),
    }
    for name in inputs:
        case, _, kind = name.rpartition(".")
        if kind == "x_init":
            n_steps = int(case.rpartition(".")[2])
            actual[f"timesteps.{n_steps}"] = torch.from_numpy(timesteps(n_steps))
            actual[f"sigmas.{n_steps}"] = torch.from_numpy(sigmas(n_steps))
            actual[f"{case}.samples"] = _solve(inputs, case, n_steps)
    return _compare_all(actual, outputs)


def _solve(inputs: Tensors, case: str, n_steps: int) -> Tensor:
    solver: Solver = "sde-dpmsolver++" if case.startswith("sde") else "dpmsolver++"
    x, previous = inputs[f"{case}.x_init"], torch.zeros_like(inputs[f"{case}.x_init"])
    noise = inputs.get(f"{case}.step_noise", [None] * n_steps)
    samples = []
    for row, velocity, drawn in zip(
        coefficients(n_steps, solver), inputs[f"{case}.model_outputs"], noise, strict=True
    ):
        x, previous = solver_step(torch.tensor(row)[:, None, None], x, velocity, previous, drawn)
        samples.append(x)
    return torch.stack(samples)
