"""One set-up of the engine `vibevoice` on random weights of published size, in a process of its own.

    python -m benchmarks.vibevoice_engine '{"device": "cpu", "dtype": "fp32", "frames": 20, "batches": [1]}'

Run by `benchmarks.vibevoice` and `benchmarks.gpu`: a fresh process, so that its peak of memory is its own.
`"size": "large"` is VibeVoice-Large, `"small"` tries the script out. Every choice is a frame, as both sides
of a comparison need it. Prints JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import replace
from typing import Any

import torch

from benchmarks.machine_limits import Limits, measure_limits
from benchmarks.memory import kept_bytes, peak_bytes
from benchmarks.realtime_engine import Timed, TimedPasses, step_seconds
from ttsops.engines import EngineConfig, registry
from ttsops.engines.contract import Engine, Utterance
from ttsops.engines.nn.cuda_graphs import graphs_for
from ttsops.engines.nn.devices import pick_device, pick_dtype
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.vibevoice.card import CARD
from ttsops.engines.vibevoice.engine import VibeVoiceEngine
from ttsops.engines.vibevoice.length import LengthBound
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.random_model import LARGE, random_model
from ttsops.engines.vibevoice.recordings import HummedRecordings
from ttsops.engines.vibevoice.shelf import VoiceShelf
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.static_form import StaticForm
from ttsops.speech import SpeechRequest

FRAME_SECONDS = 3200 / 24_000
MAX_POSITIONS = 2048
WORDS = "the harbour wakes before the town does and men carry crates of ice along the quay"
N_STEPS, N_BRANCHES = 10, 2

MODULES = {
    "language model": ("layers", 1),
    "diffusion head": ("head", N_STEPS),
    "acoustic decoder": ("decoder", 1),
    "semantic encoder": ("semantic", 1),
}
"""Component → its name in `VibeVoiceModel`, and how often a frame reads its weights."""

TIMED = {name: "sampler" if attribute == "head" else attribute for name, (attribute, _) in MODULES.items()}
"""Component → what is called for it once a frame."""

PASSES = {
    "read": "language model",
    "denoise": "diffusion head",
    "decode": "acoustic decoder",
    "listen": "semantic encoder",
}
"""Pass of a step in fixed shapes → the component whose weights it reads."""


def create(device: str, dtype: str, size: str, n_streams: int, threads: int) -> Any:
    """Every choice of the engine is a frame."""
    config = EngineConfig(
        device=device,
        dtype=dtype,
        max_streams=n_streams,
        options={
            "random_weights": "small" if size == "small" else "full",
            "max_positions": MAX_POSITIONS,
            "threads": threads,
            "live": True,
        },
    )
    engine: Any = _large(config, n_streams) if size == "large" else registry.create("vibevoice", config)
    engine._model.choices = only_frames(engine._model)
    return engine


def only_frames(model: VibeVoiceModel) -> Linear:
    """What a model chooses with that makes nothing but frames. To be set before it warms up."""
    hidden = model.config.language_model.hidden_size
    return Linear(
        torch.zeros(4, hidden, device=model.device),
        torch.tensor((0.0, 0.0, 0.0, 1.0), device=model.device),
    )


def _large(config: EngineConfig, n_streams: int) -> VibeVoiceEngine:
    """No option asks for it: it takes 37 GB in fp32."""
    device = pick_device(config)
    model = random_model(LARGE, 0, device=device, dtype=pick_dtype(config, device))
    slots = DialogueSlots(model, n_streams, MAX_POSITIONS)
    recordings = HummedRecordings()
    card = replace(CARD, default_voice=recordings.voices()[0].id)
    shelf = VoiceShelf(model, HashedWords(min(model.config.tokens.ids)), recordings)
    form = StaticForm(model, slots, graphs_for(device))
    bound = LengthBound(0.5, 8, is_end=True)
    return VibeVoiceEngine(card, model, slots, shelf, bound, form, is_live_anyway=True)


def open_one(engine: Engine, number: int, n_frames: int) -> Utterance:
    """An utterance that goes on for more than so many frames."""
    words = WORDS.split()
    text = ""
    while len(text) < 2 * n_frames + 40:
        text += words[(number + len(text)) % len(words)] + " "
    voices = engine.voices()
    options = {"steps": N_STEPS, "guard": "off"}
    voice = voices[number % len(voices)].id
    return engine.open(SpeechRequest(text, voice=voice, seed=number, options=options))


def to_first_frame(engine: Engine, utterance: Utterance) -> None:
    """Voices are prepared and the prompt is read, where that was not done for another."""
    while not len(engine.step([utterance])[0].samples):
        pass


def begin_seconds(engine: Engine) -> tuple[float, float]:
    """To the first frame: with a voice that nobody spoke with before, and again."""
    voice = engine.voices()[-1].id
    found = []
    for seed in range(2):
        started_at = time.perf_counter()
        utterance = engine.open(
            SpeechRequest("No.", voice=voice, seed=seed, options={"steps": N_STEPS, "guard": "off"})
        )
        to_first_frame(engine, utterance)
        found.append(time.perf_counter() - started_at)
        engine.close(utterance)
    return found[0], found[1]


def one_stream(engine: Engine, n_frames: int) -> dict[str, float]:
    utterance = open_one(engine, 0, n_frames + 3)
    to_first_frame(engine, utterance)
    step_seconds(engine, [utterance], 2)
    seconds = step_seconds(engine, [utterance], n_frames)
    engine.close(utterance)
    return {
        "frame_ms": 1000 * statistics.mean(seconds),
        "frame_p50_ms": 1000 * statistics.median(seconds),
        "frame_max_ms": 1000 * max(seconds),
        "rtf": statistics.mean(seconds) / FRAME_SECONDS,
    }


def components(engine: Any, n_frames: int, limits: Limits) -> dict[str, dict[str, float]]:
    """Milliseconds of a frame in each component, and how near that is to reading its weights once."""
    model, form = engine._model, engine._form
    utterance = open_one(engine, 0, n_frames + 3)
    to_first_frame(engine, utterance)
    step_seconds(engine, [utterance], 2)
    if isinstance(form, StaticForm):
        graphs, form.graphs = form.graphs, TimedPasses(form.graphs, model.device)
        frame_ms = 1000 * statistics.mean(step_seconds(engine, [utterance], n_frames))
        seconds = {PASSES[name]: spent for name, spent in form.graphs.seconds.items()}
        form.graphs = graphs
    else:
        timers = {name: Timed(getattr(model, attribute), model.device) for name, attribute in TIMED.items()}
        for name, attribute in TIMED.items():
            setattr(model, attribute, timers[name])
        frame_ms = 1000 * statistics.mean(step_seconds(engine, [utterance], n_frames))
        for name, attribute in TIMED.items():
            setattr(model, attribute, timers[name]._inner)
        seconds = {name: timer.seconds for name, timer in timers.items()}
    engine.close(utterance)
    found: dict[str, dict[str, float]] = {}
    for name, (attribute, n_reads) in MODULES.items():
        n_bytes = n_reads * kept_bytes(getattr(model, attribute), set())
        ms, floor_ms = 1000 * seconds[name] / n_frames, 1000 * n_bytes / limits.read_bytes_per_second
        found[name] = {"ms": ms, "floor_ms": floor_ms, "share_of_limit": floor_ms / ms}
    found["everything else"] = {"ms": frame_ms - sum(one["ms"] for one in found.values())}
    return found


def batch_frames_per_second(engine: Engine, n_streams: int, n_frames: int) -> float:
    batch = [open_one(engine, number, n_frames + 3) for number in range(n_streams)]
    for utterance in batch:
        to_first_frame(engine, utterance)
    step_seconds(engine, batch, 2)
    seconds = step_seconds(engine, batch, n_frames)
    for utterance in batch:
        engine.close(utterance)
    return n_streams / statistics.mean(seconds)


def measure(
    device: str, dtype: str, frames: int, batches: list[int], threads: int = 0, size: str = "full"
) -> dict[str, Any]:
    before_bytes = peak_bytes()
    started_at = time.perf_counter()
    engine = create(device, dtype, size, max(batches), threads)
    engine.warm_up()
    load_seconds = time.perf_counter() - started_at
    model = engine._model
    new_voice, known_voice = begin_seconds(engine)
    found: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "load_seconds": load_seconds,
        "first_frame_new_voice_ms": 1000 * new_voice,
        "first_frame_known_voice_ms": 1000 * known_voice,
        "one_stream": one_stream(engine, frames),
    }
    found["memory"] = {
        "peak_mib": peak_bytes() / 2**20,
        "before_loading_mib": before_bytes / 2**20,
        "weights_mib": kept_bytes(model, set()) / 2**20,
        "state_mib": engine._slots.bytes_per_stream / 2**20,
    }
    if model.device.type == "cuda":
        found["memory"]["peak_mib"] = torch.cuda.max_memory_allocated() / 2**20
    limits = measure_limits(model.device, model.dtype)
    found["limits"] = {
        "read_gb_per_second": limits.read_bytes_per_second / 1e9,
        "gflops_per_second": limits.flops_per_second / 1e9,
    }
    found["components"] = components(engine, frames, limits)
    found["frames_per_second"] = {
        str(n_streams): batch_frames_per_second(engine, n_streams, frames) for n_streams in batches
    }
    return found


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
