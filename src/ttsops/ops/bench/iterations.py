"""The same text again and again, one listener at a time: how fast the engine is alone, and how evenly.

How many listeners it keeps up with is another question: `run`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ttsops.errors import EngineError
from ttsops.ops.bench.level import PARAGRAPH, Scene, worker_bytes
from ttsops.ops.bench.run import prepare_settings
from ttsops.ops.machine import machine, versions
from ttsops.ops.random_weights import RandomWeights, note_of
from ttsops.ops.warmup import Loads, first_chunk, start
from ttsops.ops.weight_files import files_below, forget, named_weights
from ttsops.runtime import Runtime
from ttsops.settings import Settings
from ttsops.speech import SpeechRequest


@dataclass(frozen=True, slots=True)
class Deviation:
    """How a figure is spread, in its own unit."""

    n: int
    mean: float
    median: float
    p95: float
    p99: float
    min: float
    max: float
    deviation: float
    """Standard deviation of a sample; 0 for one."""


@dataclass(frozen=True, slots=True)
class Iteration:
    """One utterance, spoken to its end. Times are seconds."""

    rtf: float
    first_chunk_seconds: float
    chunks: int
    """Pieces that reached the listener; one who is behind gets several at once."""

    audio_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Iterations:
    """What was measured, and on what."""

    engine: str
    note: str
    """What must be said with every figure; empty if it speaks as published."""

    machine: str
    device: str
    dtype: str
    versions: dict[str, str]
    loads: Loads
    rtf: Deviation
    """Synthesis seconds / audio seconds."""

    first_chunk: Deviation
    """Asked to first audio, in seconds."""

    chunks: Deviation
    audio_seconds: float
    """All together."""

    worker_bytes: int
    """Memory of the engine's process that was in use, at most."""


def deviation(values: Sequence[float]) -> Deviation:
    """Percentiles are values that were measured. Raises `ValueError` for none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)

    def percentile(share: float) -> float:
        return ordered[math.ceil(share * len(ordered)) - 1]

    return Deviation(
        n=len(ordered),
        mean=statistics.fmean(ordered),
        median=statistics.median(ordered),
        p95=percentile(0.95),
        p99=percentile(0.99),
        min=ordered[0],
        max=ordered[-1],
        deviation=statistics.stdev(ordered) if len(ordered) > 1 else 0.0,
    )


async def run_iterations(
    settings: Settings,
    n_iterations: int,
    scene: Scene,
    *,
    random_weights: RandomWeights = "",
    on_iteration: Callable[[int, Iteration], None] = lambda number, iteration: None,
) -> Iterations:
    """Load twice, speak once for nothing, then so many times. Raises what stops the engine."""
    settings = prepare_settings(settings, random_weights)
    name = settings.engine
    n_files = forget(file for path in named_weights(settings, name).values() for file in files_below(path))
    runtime, cold = await start(settings)
    await runtime.stop()
    runtime, cached = await start(settings)
    done: list[Iteration] = []
    n_bytes = 0
    try:
        await first_chunk(runtime)
        for number in range(1, n_iterations + 1):
            done.append(await _iterate(runtime, scene, scene.seed + number))
            n_bytes = max(n_bytes, worker_bytes(runtime.service()) or 0)
            on_iteration(number, done[-1])
    finally:
        await runtime.stop()
    setup = settings.engine_settings(name)
    return Iterations(
        engine=name,
        note=note_of(setup),
        machine=machine(),
        device=setup.device,
        dtype=setup.dtype,
        versions=versions(()),
        loads=Loads(cold=cold, cached=cached, files_forgotten=n_files),
        rtf=deviation([one.rtf for one in done]),
        first_chunk=deviation([one.first_chunk_seconds for one in done]),
        chunks=deviation([one.chunks for one in done]),
        audio_seconds=sum(one.audio_seconds for one in done),
        worker_bytes=n_bytes,
    )


async def _iterate(runtime: Runtime, scene: Scene, seed: int) -> Iteration:
    is_live = runtime.service().card.is_realtime
    request = SpeechRequest(PARAGRAPH, voice=scene.voice, seed=seed, options=scene.options)
    n_chunks = 0
    async with await runtime.open(request, is_live=is_live) as stream:
        async for chunk in stream:
            n_chunks += bool(len(chunk.samples))
    stats = stream.stats
    if stats.rtf is None or stats.first_audio_seconds is None:
        raise EngineError(f"engine `{runtime.default_engine}` gave no audio")
    return Iteration(stats.rtf, stats.first_audio_seconds, n_chunks, stats.audio_seconds)
