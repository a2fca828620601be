"""A whole bench: start the engine as it is served, measure, sum up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from ttsops.ops.bench.capacity import climb, find_capacity
from ttsops.ops.bench.level import Level, Scene, measure_level
from ttsops.ops.bench.listener import Source
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import RandomWeights, note_of, with_random_weights
from ttsops.runtime import Runtime
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import SpeechRequest

AHEAD_SECONDS = 1.0
"""Audio made ahead of each listener at most: what was saved up early must not pay for what comes too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    first: int = 1
    """Listeners of the first level."""

    limit: int | None = None
    """Never more listeners than this; None for what the engine holds."""

    is_search: bool = False
    """Find the capacity, not only the curve up to it."""

    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured, and on what."""

    engine: str
    note: str
    """What must be said with every figure; empty if it speaks as published."""

    machine: str
    device: str
    dtype: str
    bytes_per_stream: int
    """Device memory of one open stream, from the engine's card; 0 where it does not matter."""

    max_streams: int
    """Streams that the engine holds at once."""

    load_seconds: float | None
    capacity: int
    is_limited: bool
    """The capacity is a limit that was reached, not one that was found."""

    levels: tuple[Level, ...]
    """By listeners, then in the order measured."""


def prepare_settings(settings: Settings, random_weights: RandomWeights) -> Settings:
    """The default engine of `settings` alone, with nobody in line and little made ahead.

    Raises `InvalidValue` if random weights are asked of an engine that has none.
    """
    name = settings.engine
    setup = with_random_weights(name, _setup(settings), random_weights)
    runtime = msgspec.structs.replace(
        settings.runtime, failover="", max_queue=0, live_window_seconds=AHEAD_SECONDS
    )
    return msgspec.structs.replace(settings, engines={name: setup}, runtime=runtime)


async def run_bench(
    settings: Settings,
    plan: Plan,
    *,
    random_weights: RandomWeights = "",
    on_level: Callable[[Level], None] = lambda _: None,
) -> Bench:
    """Measure the default engine of `settings`. Raises what stops the engine from loading."""
    settings = prepare_settings(settings, random_weights)
    async with Runtime(settings) as runtime:
        service = runtime.service()

        async def open_stream(request: SpeechRequest) -> Source:
            return await runtime.open(request)

        async def measure(n_streams: int) -> Level:
            level = await measure_level(service, open_stream, n_streams, plan.scene)
            on_level(level)
            return level

        limit = min(service.capacity, plan.limit or service.capacity)
        search = find_capacity if plan.is_search else climb
        found = await search(measure, first=plan.first, limit=limit)
        return Bench(
            engine=service.name,
            note=note_of(_setup(settings)),
            machine=machine(),
            device=_setup(settings).device,
            dtype=_setup(settings).dtype,
            bytes_per_stream=service.card.bytes_per_stream,
            max_streams=service.capacity,
            load_seconds=service.load_seconds,
            capacity=found.capacity,
            is_limited=found.is_limited,
            levels=tuple(sorted(found.levels, key=lambda level: level.streams)),
        )


def _setup(settings: Settings) -> EngineSettings:
    return settings.engine_settings(settings.engine)
