"""One set-up of the engine `f5` on random weights, in a process of its own.

    python -m benchmarks.f5_engine '{"folder": "/tmp/voices", "size": "small", "parts": ["equal", "long"]}'

Run by `benchmarks.f5`, which made the folder: a fresh process, so that its peak of memory is its own. Prints
JSON. `equal` and `quicker` use the model and its sampler directly, since both sides are given the same frames
there; all else goes through the engine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.f5_scene import (
    BRIEF,
    CFG_STRENGTH,
    EQUAL,
    LONG_NFE,
    LONG_TEXT,
    QUICKER,
    SAMPLE_RATE,
    SEED,
    SHORT_NFE,
    SHORT_TEXTS,
    SWAY,
    USUAL,
    Case,
)
from benchmarks.f5_work import activation_bytes, network_flops, text_flops, vocoder_flops
from benchmarks.machine_limits import Limits, measure_limits
from benchmarks.memory import PeakSince, kept_bytes, resident_bytes, tensors_below
from benchmarks.meter import Meter, Span
from ttsops.engines import EngineConfig, registry
from ttsops.engines.contract import Engine, Utterance
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.sampler import advance, start_flow
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.f5.tokens import tokenize
from ttsops.speech import OptionValue, SpeechRequest

MIB = 2**20
VOICES_FOLDER = "voices"
"""In the folder that both sides read from."""

GRID = (5, 6, 7, 8, 12, 16, 32)
GROWTH_TEXT = "Yes, it does."
GROWTH_NFE = 5
N_WARM = 50
N_GROWTH = 200


def create(folder: str, size: str, device: str, dtype: str, threads: int, only_nfe: str = "") -> Any:
    options: dict[str, OptionValue] = {
        "random_weights": size,
        "random_seed": SEED,
        "voices": str(Path(folder) / VOICES_FOLDER),
        "threads": threads,
        "only_nfe": only_nfe,
        "live": True,
    }
    engine: Any = registry.create("f5", EngineConfig(device=device, dtype=dtype, options=options))
    if dtype == "int8" and all(one.dtype != torch.int8 for one in tensors_below(engine._model, set())):
        raise SystemExit(
            "error: the engine keeps no 8-bit weights: its log says why (no faster here, in most cases)"
        )
    return engine


def request(text: str, voice: str, nfe: int, seed: int = SEED) -> SpeechRequest:
    options: dict[str, OptionValue] = {"nfe": nfe, "cfg_strength": CFG_STRENGTH, "sway": SWAY}
    return SpeechRequest(text, voice=voice, seed=seed, options=options)


@torch.inference_mode()
def speak_case(engine: Any, case: Case, nfe: int | None = None, keep_as: Path | None = None) -> Span:
    """From the text to all samples, by the sampler; the mel is kept for comparison."""
    model: F5Model = engine._model
    state = engine._shelf.state(case.voice.id)  # made once for a voice, and here before the clock runs
    n_frames = state.pace.frames + case.n_new
    with Span(model.device) as span:
        flow = start_flow(
            model,
            state.mel,
            engine._vocabulary.ids(tokenize(state.prefix + case.text)),
            n_frames,
            Schedule(nfe or case.nfe, SWAY),
            cfg_strength=CFG_STRENGTH,
            seed=SEED,
        )
        while not flow.is_done:
            advance(model, [flow])
        model.vocos(flow.speech()[None])[0].cpu()
    assert flow.n_frames == n_frames
    assert flow.is_finite
    if keep_as:
        np.save(keep_as, flow.mel().cpu().numpy())
    return span


def measure_case(engine: Any, case: Case, folder: Path, dtype: str, limits: Limits) -> dict[str, Any]:
    """Time of a chunk and of its components, and how near each is to what the machine can do."""
    model: F5Model = engine._model
    meter = Meter(model.device)
    meter.wrap(model, "text", "text embedding")
    meter.wrap(model.dit, "forward", "network")
    meter.wrap(model.vocos, "spectra", "vocoder")
    span = speak_case(engine, case, keep_as=folder / f"ours-{dtype}-{case.nfe}.npy")
    meter.leave()
    n_ref = engine._shelf.state(case.voice.id).pace.frames
    n_frames, sizes = n_ref + case.n_new, model.config
    flops = {
        "text embedding": text_flops(sizes.dit, n_frames, 2),
        "network": case.nfe * network_flops(sizes.dit, n_frames, 2),
        "vocoder": vocoder_flops(sizes.vocos, case.n_new),
    }
    components: dict[str, dict[str, float]] = {}
    for name, n_flops in flops.items():
        seconds = meter.seconds[name]
        share = n_flops / limits.flops_per_second / seconds
        components[name] = {"seconds": seconds, "tflop": n_flops / 1e12, "share_of_limit": share}
    components["everything else"] = {"seconds": span.seconds - sum(meter.seconds.values())}
    return {
        **span.facts(),
        "rtf": span.seconds / case.seconds,
        "audio_seconds": case.seconds,
        "reference_seconds": n_ref * sizes.mel.hop / SAMPLE_RATE,
        "frames": n_frames,
        "nfe": case.nfe,
        "components": components,
    }


def first_audio(engine: Any, nfe: int) -> dict[str, Any]:
    """From asking for a long text to its first samples."""
    engine.close(engine.open(request(LONG_TEXT, USUAL.id, nfe)))  # the voice is known from now on
    with Span(engine._model.device) as span:
        utterance = engine.open(request(LONG_TEXT, USUAL.id, nfe))
        chunk = utterance._chunks[0]
        while not len((step := engine.step([utterance])[0]).samples):
            assert step.error is None, step.error
    engine.close(utterance)
    n_ref = engine._shelf.state(USUAL.id).pace.frames
    return {**span.facts(), "nfe": nfe, "frames": chunk.frames, "new_frames": chunk.frames - n_ref}


def together(engine: Any, n_requests: int, is_whole: bool) -> dict[str, float]:
    """Requests that are opened at once, until all of them are spoken.

    Steps of an utterance take equally long. Unless `is_whole` its first (with the text embedded) and its
    second are taken, the second counts for those after it as well, and decoding is as it is.
    """
    texts = [SHORT_TEXTS[number % len(SHORT_TEXTS)] for number in range(n_requests)]
    with Span(engine._model.device) as beginning:
        batch = [engine.open(request(text, BRIEF.id, SHORT_NFE, i)) for i, text in enumerate(texts)]
        engine.step(batch)
    seconds = beginning.seconds
    if not is_whole:
        with Span(engine._model.device) as step:
            engine.step(batch)
        seconds += (SHORT_NFE - 1) * step.seconds
        for utterance in batch:
            utterance._flow.index = SHORT_NFE
    with Span(engine._model.device) as rest:
        n_samples = sum(spoken(engine, batch))
    for utterance in batch:
        engine.close(utterance)
    seconds += rest.seconds
    audio_seconds = n_samples / SAMPLE_RATE
    return {
        "seconds": seconds,
        "audio_seconds": audio_seconds,
        "audio_per_second": audio_seconds / seconds,
        "is_whole": is_whole,
    }


def spoken(engine: Engine, batch: Sequence[Utterance]) -> list[int]:
    """Samples of each, once all are done."""
    n_samples = [0] * len(batch)
    while running := [i for i, utterance in enumerate(batch) if not utterance.is_done]:
        for i, step in zip(running, engine.step([batch[i] for i in running]), strict=True):
            assert step.error is None, step.error
            n_samples[i] += len(step.samples)
    return n_samples


def growth(engine: Engine) -> dict[str, float]:
    """Memory before and after many short requests, one after another."""

    def speak(n_requests: int) -> int:
        for seed in range(n_requests):
            utterance = engine.open(request(GROWTH_TEXT, BRIEF.id, GROWTH_NFE, seed))
            spoken(engine, [utterance])
            engine.close(utterance)
        return resident_bytes()

    before, after = speak(N_WARM), speak(N_GROWTH)
    return {
        "requests": N_GROWTH,
        "nfe": GROWTH_NFE,
        "before_mib": before / MIB,
        "after_mib": after / MIB,
        "kib_per_request": (after - before) / 1024 / N_GROWTH,
    }


def grid(engine: Any, case: Case) -> list[dict[str, Any]]:
    """Each number of steps, warm: speed of a chunk, and first audio of a long text."""
    rows = []
    for nfe in GRID:
        for _ in range(2):  # the first compiles for its lengths and makes its table
            span = speak_case(engine, case, nfe)
            first = first_audio(engine, nfe)
        rows.append({"nfe": nfe, "rtf": span.seconds / case.seconds, "first_audio": first["seconds"]})
    return rows


def memory(engine: Any, before: int, measured: Callable[[], Any], case: Case) -> Any:
    """What `measured` gives, and memory above what the process had before it loaded the model."""
    model: F5Model = engine._model
    peak = PeakSince()
    result = measured()
    found = {
        "before_loading_mib": before / MIB,
        "running_peak_mib": (peak.bytes() - before) / MIB,
        "weights_mib": kept_bytes(model, set()) / MIB,
    }
    n_frames = engine._shelf.state(case.voice.id).pace.frames + case.n_new
    n_rows = 1 if model.device.type == "cpu" else 2  # one after the other there
    found["activations_mib"] = activation_bytes(model.config, n_frames, n_rows) / MIB
    if model.device.type == "cuda":
        found["running_peak_mib"] = torch.cuda.max_memory_allocated() / MIB
    return result, found


def warm(folder: str, device: str, threads: int) -> None:
    """Load the library's kernels, so that memory before loading has them."""
    engine = create(folder, "small", device, "fp32", threads)
    with Span(engine._model.device):
        spoken(engine, [engine.open(request(GROWTH_TEXT, BRIEF.id, GROWTH_NFE))])


def measure(
    folder: str,
    parts: list[str],
    size: str = "full",
    device: str = "cpu",
    dtype: str = "fp32",
    only_nfe: str = "",
    batches: Sequence[int] = (),
    is_whole: bool = False,
    threads: int = 0,
) -> dict[str, Any]:
    if device == "cpu":
        warm(folder, device, threads)
    before = resident_bytes()
    loading = PeakSince()
    with Span() as load:
        engine = create(folder, size, device, dtype, threads, only_nfe)
        if device != "cpu":
            engine.warm_up()
    model: F5Model = engine._model
    found: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "load_seconds": load.seconds,
        "loading_peak_mib": (loading.bytes() - before) / MIB,
    }
    limits = measure_limits(model.device, model.dtype)
    found["limits"] = {"gflops_per_second": limits.flops_per_second / 1e9}
    for name, case in (("equal", EQUAL), ("quicker", QUICKER)):
        if name not in parts:
            continue

        def one(case: Case = case) -> dict[str, Any]:
            return measure_case(engine, case, Path(folder), dtype, limits)

        found[name], found[f"{name}_memory"] = memory(engine, before, one, case)
    if "long" in parts:
        found["long"] = first_audio(engine, LONG_NFE)
    if "together" in parts:
        found["together"] = {str(n): together(engine, n, is_whole) for n in batches}
    if "grid" in parts:
        found["grid"] = grid(engine, EQUAL)
    if "growth" in parts:
        found["growth"] = growth(engine)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
