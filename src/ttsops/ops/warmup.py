"""What the first listener would wait for: loading, from the disk and from memory, and the first utterance.

An engine that was loaded before loads faster: its files are still in the system's memory. Both are measured,
each in a process of its own; before the first the files of its weights are forgotten where the system can.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from ttsops.errors import EngineError, EngineUnavailable
from ttsops.ops.accept.client import Client
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import note_of
from ttsops.ops.weight_files import files_below, forget, named_weights
from ttsops.runtime import Runtime
from ttsops.settings import Settings
from ttsops.speech import SpeechRequest

TEXT = "The train to the city leaves in less than ten minutes."
N_AFTER = 3
"""Utterances after the first; their median counts."""


@dataclass(frozen=True, slots=True)
class LoadTime:
    """One start of an engine, in seconds."""

    load_seconds: float
    """Weights and warm-up, as the engine's process measured it."""

    ready_seconds: float
    """From the start of that process until it can speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """An engine started twice."""

    cold: LoadTime
    cached: LoadTime
    files_forgotten: int
    """Of its weights, before the cold start. 0: it has none, or `cold` is only the first start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmup:
    """What was measured."""

    engine: str
    note: str
    """What must be said with every figure; empty if it speaks as published."""

    machine: str
    """Empty for a running server, which may be on another."""

    url: str
    """Of the running server; empty if the engine was started here."""

    load_seconds: float | None
    """As the running server tells it; None if the engine was started here."""

    loads: Loads | None
    """None for a running server."""

    first_chunk_before: float
    """Asked to first audio, of the first utterance."""

    first_chunk_after: float
    """The median of those after it."""


async def warm_up(settings: Settings) -> Warmup:
    """Start the default engine of `settings` twice, and speak. Raises what stops it."""
    name = settings.engine
    n_files = forget(file for path in named_weights(settings, name).values() for file in files_below(path))
    runtime, cold = await start(settings)
    await runtime.stop()
    runtime, cached = await start(settings)
    try:
        waits = [await first_chunk(runtime) for _ in range(1 + N_AFTER)]
    finally:
        await runtime.stop()
    return Warmup(
        engine=name,
        note=note_of(settings.engine_settings(name)),
        machine=machine(),
        url="",
        load_seconds=None,
        loads=Loads(cold=cold, cached=cached, files_forgotten=n_files),
        first_chunk_before=waits[0],
        first_chunk_after=statistics.median(waits[1:]),
    )


def warm_up_server(client: Client) -> Warmup:
    """Speak on a running server. Raises `EngineUnavailable` if it does not answer or does not speak."""
    try:
        health = client.engine_health()
        waits = [_first_chunk_of(client) for _ in range(1 + N_AFTER)]
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"{client.url} does not answer: {error}") from error
    return Warmup(
        engine=client.engine,
        note="",
        machine="",
        url=client.url,
        load_seconds=health.get("load_seconds"),
        loads=None,
        first_chunk_before=waits[0],
        first_chunk_after=statistics.median(waits[1:]),
    )


async def start(settings: Settings) -> tuple[Runtime, LoadTime]:
    """The default engine of `settings` in a fresh process; the caller stops it. Raises what stops it."""
    runtime = Runtime(settings)
    started_at = time.monotonic()
    try:
        await runtime.start()
    except BaseException:
        await runtime.stop()
        raise
    load_seconds = runtime.service().load_seconds
    assert load_seconds is not None
    return runtime, LoadTime(load_seconds, time.monotonic() - started_at)


async def first_chunk(runtime: Runtime, text: str = TEXT) -> float:
    """Seconds from asked to first audio. Raises what the engine raises."""
    is_live = runtime.service().card.is_realtime
    async with await runtime.open(SpeechRequest(text, seed=0), is_live=is_live) as stream:
        async for _ in stream:
            pass
    if stream.stats.first_audio_seconds is None:
        raise EngineError(f"engine `{runtime.default_engine}` gave no audio")
    return stream.stats.first_audio_seconds


def _first_chunk_of(client: Client) -> float:
    spoken = client.speak(TEXT)
    if spoken.problem:
        raise EngineUnavailable(f"{client.url}: {spoken.problem}")
    return spoken.first_chunk_seconds
