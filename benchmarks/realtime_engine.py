"""One set-up of the engine `vibevoice-realtime` on random weights of full size, in a process of its own.

    python -m benchmarks.realtime_engine '{"device": "cpu", "dtype": "fp32", "frames": 30, "batches": [1, 8]}'

Run by `benchmarks.vibevoice_realtime`: a fresh process, so that its peak of memory is its own. Prints JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import defaultdict
from typing import Any

import torch

from benchmarks.frame_work import weight_shapes, work_per_frame
from benchmarks.machine_limits import Limits, measure_limits, synchronise
from benchmarks.memory import kept_bytes, peak_bytes
from ttsops.engines import EngineConfig, registry
from ttsops.engines.contract import Engine, Utterance
from ttsops.engines.vibevoice_realtime.static_form import StaticForm
from ttsops.engines.vibevoice_realtime.windows import SPEECH_WINDOW, TEXT_WINDOW
from ttsops.speech import SpeechRequest

FRAME_SECONDS = 3200 / 24_000
MAX_POSITIONS = 2048
WORDS = "the harbour wakes before the town does and men carry crates of ice along the quay"
N_FIRST = 5
"""Tries of the first chunk."""

MODULES = {
    "text layers": "text_layers",
    "speech layers": "speech_layers",
    "diffusion head": "sampler",
    "acoustic decoder": "decoder",
    "connector": "connector",
    "classifier": "eos",
}
"""Component → its name in `RealtimeModel`."""

PASSES = {
    "read_latents": ("reads its latent", ("speech layers", "connector", "classifier")),
    "read_windows": ("reads text", ("text layers",)),
    "denoise": ("denoises", ("diffusion head",)),
    "decode": ("decodes", ("acoustic decoder",)),
}
"""Pass of a step in fixed shapes → what it is called here, and the components whose weights it reads."""


class Timed:
    """Stands before a module and adds up the time of its calls."""

    def __init__(self, inner: Any, device: torch.device) -> None:
        self._inner = inner
        self._device = device
        self.seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        synchronise(self._device)
        started_at = time.perf_counter()
        result = self._inner(*args, **kwargs)
        synchronise(self._device)
        self.seconds += time.perf_counter() - started_at
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def open_one(engine: Engine, number: int, n_frames: int) -> Utterance:
    """An utterance that goes on for more than so many frames."""
    n_words = 2 * TEXT_WINDOW * (n_frames // SPEECH_WINDOW + 4)
    words = WORDS.split()
    text = " ".join(words[(number + i) % len(words)] for i in range(n_words))
    voices = engine.voices()
    return engine.open(SpeechRequest(text, voice=voices[number % len(voices)].id, seed=number))


def step_seconds(engine: Engine, batch: list[Utterance], n_steps: int) -> list[float]:
    """Of each step; samples are on the host when it ends."""
    seconds = []
    for _ in range(n_steps):
        started_at = time.perf_counter()
        steps = engine.step(batch)
        seconds.append(time.perf_counter() - started_at)
        assert all(len(step.samples) for step in steps), "a stream has ended"
    return seconds


def first_chunk_seconds(engine: Engine) -> float:
    """From asking to the first samples, the median of a few."""
    seconds = []
    for number in range(N_FIRST):
        started_at = time.perf_counter()
        utterance = open_one(engine, number, 1)
        engine.step([utterance])
        seconds.append(time.perf_counter() - started_at)
        engine.close(utterance)
    return statistics.median(seconds)


def one_stream(engine: Engine, n_frames: int) -> dict[str, float]:
    utterance = open_one(engine, 0, n_frames + SPEECH_WINDOW)
    step_seconds(engine, [utterance], SPEECH_WINDOW)
    seconds = step_seconds(engine, [utterance], n_frames)
    engine.close(utterance)
    return {
        "frame_ms": 1000 * statistics.mean(seconds),
        "frame_p50_ms": 1000 * statistics.median(seconds),
        "frame_max_ms": 1000 * max(seconds),
        "rtf": statistics.mean(seconds) / FRAME_SECONDS,
    }


class TimedPasses:
    """Stands before the graphs of a step in fixed shapes and adds up the time of each pass."""

    def __init__(self, inner: Any, device: torch.device) -> None:
        self._inner = inner
        self._device = device
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def run(self, function: Any, *sizes: int) -> None:
        timed = Timed(self._inner.run, self._device)
        timed(function, *sizes)
        self.seconds[function.__name__] += timed.seconds


def passes(
    engine: Any, n_frames: int, limits: Limits, bytes_per_weight: float
) -> dict[str, dict[str, float]]:
    """As `components`, of an engine whose step is in fixed shapes: its graphs are all that can be timed."""
    form = engine._form
    utterance = open_one(engine, 0, n_frames + SPEECH_WINDOW)
    step_seconds(engine, [utterance], SPEECH_WINDOW)
    graphs, form.graphs = form.graphs, TimedPasses(form.graphs, engine._model.device)
    frame_ms = 1000 * statistics.mean(step_seconds(engine, [utterance], n_frames))
    seconds, form.graphs = form.graphs.seconds, graphs
    engine.close(utterance)
    work = work_per_frame(weight_shapes())
    found = {}
    for name, (title, parts) in PASSES.items():
        floors = [limits.floor_seconds(work[part][0] * bytes_per_weight, work[part][1]) for part in parts]
        ms, floor_ms = 1000 * seconds[name] / n_frames, 1000 * sum(floors)
        found[title] = {"ms": ms, "floor_ms": floor_ms, "share_of_limit": floor_ms / ms if ms else 0.0}
    found["everything else"] = {"ms": frame_ms - sum(one["ms"] for one in found.values())}
    return found


def components(
    engine: Any, n_frames: int, limits: Limits, bytes_per_weight: float
) -> dict[str, dict[str, float]]:
    """Milliseconds of a frame in each component, and how near that is to what the machine can do."""
    if isinstance(engine._form, StaticForm):
        return passes(engine, n_frames, limits, bytes_per_weight)
    model = engine._model
    utterance = open_one(engine, 0, n_frames + SPEECH_WINDOW)
    step_seconds(engine, [utterance], SPEECH_WINDOW)
    timers = {name: Timed(getattr(model, attribute), model.device) for name, attribute in MODULES.items()}
    for name, attribute in MODULES.items():
        setattr(model, attribute, timers[name])
    frame_ms = 1000 * statistics.mean(step_seconds(engine, [utterance], n_frames))
    engine.close(utterance)
    work = work_per_frame(weight_shapes())
    found = {}
    for name, timer in timers.items():
        setattr(model, MODULES[name], timer._inner)
        n_weights, n_flops = work[name]
        floor_ms = 1000 * limits.floor_seconds(n_weights * bytes_per_weight, n_flops)
        ms = 1000 * timer.seconds / n_frames
        found[name] = {"ms": ms, "floor_ms": floor_ms, "share_of_limit": floor_ms / ms if ms else 0.0}
    found["everything else"] = {"ms": frame_ms - sum(one["ms"] for one in found.values())}
    return found


def batch_frames_per_second(engine: Engine, n_streams: int, n_frames: int) -> float:
    batch = [open_one(engine, number, n_frames + 3) for number in range(n_streams)]
    step_seconds(engine, batch, 3)
    seconds = step_seconds(engine, batch, n_frames)
    for utterance in batch:
        engine.close(utterance)
    return n_streams / statistics.mean(seconds)


def measure(
    device: str, dtype: str, frames: int, batches: list[int], threads: int = 0, **options: str
) -> dict[str, Any]:
    """`options` are the engine's own."""
    config = EngineConfig(
        device=device,
        dtype=dtype,
        max_streams=max(batches),
        options={"random_weights": "full", "max_positions": MAX_POSITIONS, "threads": threads} | options,
    )
    before_bytes = peak_bytes()
    started_at = time.perf_counter()
    engine: Any = registry.create("vibevoice-realtime", config)
    engine.warm_up()
    load_seconds = time.perf_counter() - started_at
    model = engine._model
    bytes_per_weight = {"int8": 1.0}.get(dtype, float(model.dtype.itemsize))
    found: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "load_seconds": load_seconds,
        "first_chunk_ms": 1000 * first_chunk_seconds(engine),
        "one_stream": one_stream(engine, frames),
    }
    found["memory"] = {
        "peak_mib": peak_bytes() / 2**20,
        "before_loading_mib": before_bytes / 2**20,
        "weights_mib": kept_bytes(model, set()) / 2**20,
        "state_mib": engine.card.bytes_per_stream / 2**20,
    }
    if model.device.type == "cuda":
        found["memory"]["peak_mib"] = torch.cuda.max_memory_allocated() / 2**20
    limits = measure_limits(model.device, model.dtype)
    found["limits"] = {
        "read_gb_per_second": limits.read_bytes_per_second / 1e9,
        "gflops_per_second": limits.flops_per_second / 1e9,
    }
    found["components"] = components(engine, frames, limits, bytes_per_weight)
    found["frames_per_second"] = {
        str(n_streams): batch_frames_per_second(engine, n_streams, frames) for n_streams in batches
    }
    return found


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
