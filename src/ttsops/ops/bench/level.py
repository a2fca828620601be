"""So many listeners at the same time, for so long: what they waited for, and what the engine's steps took."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil

from ttsops.ops.bench.listener import Open, listen
from ttsops.ops.loadtest.listener import Listening
from ttsops.ops.loadtest.report import Spread, spread
from ttsops.runtime import EngineService
from ttsops.runtime.messages import Steps
from ttsops.speech import OptionValue, SpeechRequest

RAMP = 0.2
"""Share of a level in which its listeners come, one after the other."""

LAST_SECONDS = 1.0
"""Nobody begins again when less is left: there would be nothing to judge."""

SETTLE_SECONDS = 0.05
"""After the last stream has ended, the worker's last report of its steps is still on its way."""

CHARS_PER_SECOND = 40
"""More than any engine speaks: a text of this many for each second of a level outlasts it."""

PARAGRAPH = (
    "The harbour wakes before the town does. Men carry crates of ice along the quay, gulls argue over what "
    "the nets have left, and the first ferry waits with its lamps still lit. By seven the market has opened; "
    "there is bread, there is coffee, and there is always somebody who knows what the weather will do. "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every listener asks for, and for how long a level lasts."""

    seconds: float = 10.0
    voice: str = ""
    """Empty for the engine's default."""

    options: Mapping[str, OptionValue] = field(default_factory=dict)
    seed: int = 0
    """The same seed, the same requests."""


@dataclass(frozen=True, slots=True)
class Level:
    """What so many listeners met. Times are seconds."""

    streams: int
    wall_seconds: float
    step: Spread | None
    """Of the engine's steps."""

    batch_mean: float
    """Utterances in a step."""

    busy_share: float
    """Share of the time in which the engine was in a step."""

    ttfb: Spread | None
    """Asked → first audio."""

    ttfa: Spread | None
    """Asked → first audible sample: leading silence is waited for."""

    audio_per_second: float
    """Seconds of speech heard per second."""

    underruns: int
    underrun_seconds: float
    streams_with_underruns: int
    errors: dict[str, int]
    """Code → how many."""

    worker_bytes: int | None
    """Memory of the worker process that is in use at the level's end."""

    @property
    def is_kept_up(self) -> bool:
        """Everybody heard everything in time."""
        return not self.underruns and not self.errors and self.ttfb is not None


async def measure_level(service: EngineService, open_stream: Open, n_streams: int, scene: Scene) -> Level:
    """Let so many listeners come, hear, and go again; the engine is idle afterwards."""
    loop = asyncio.get_running_loop()
    reports: list[Steps] = []
    service.on_steps = reports.append
    started_at = loop.time()
    until = started_at + scene.seconds
    text = _text(scene.seconds, service.card.max_text_chars)

    async def stay(number: int) -> list[Listening]:
        await asyncio.sleep(RAMP * scene.seconds * number / n_streams)
        heard: list[Listening] = []
        while not heard or (not heard[-1].error and loop.time() < until - LAST_SECONDS):
            request = SpeechRequest(
                text,
                voice=scene.voice,
                seed=scene.seed + number + n_streams * len(heard),
                options=scene.options,
            )
            heard.append(await listen(open_stream, request, until))
        return heard

    try:
        groups = await asyncio.gather(*(stay(number) for number in range(n_streams)))
        wall = loop.time() - started_at
        await _until_idle(service)
    finally:
        service.on_steps = None
    return _level(n_streams, wall, [one for group in groups for one in group], reports, worker_bytes(service))


def _text(seconds: float, max_chars: int) -> str:
    n_chars = min(max_chars, round(seconds * CHARS_PER_SECOND))
    return (PARAGRAPH * (n_chars // len(PARAGRAPH) + 1))[:n_chars]


async def _until_idle(service: EngineService) -> None:
    while service.n_live:  # noqa: ASYNC110 - places come free on the worker's word, nobody else waits for it
        await asyncio.sleep(SETTLE_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)


def worker_bytes(service: EngineService) -> int | None:
    """Memory of the engine's process that is in use; None if it has none."""
    try:
        return int(psutil.Process(service.worker_pid).memory_info().rss) if service.worker_pid else None
    except psutil.Error:
        return None


def _level(
    n_streams: int,
    wall: float,
    heard: Sequence[Listening],
    reports: Sequence[Steps],
    worker_bytes: int | None,
) -> Level:
    steps = [seconds for report in reports for seconds in report.seconds]
    batches = [size for report in reports for size in report.batch_sizes]
    return Level(
        streams=n_streams,
        wall_seconds=wall,
        step=spread(steps),
        batch_mean=sum(batches) / len(batches) if batches else 0.0,
        busy_share=min(1.0, sum(steps) / wall),
        ttfb=spread(one.ttfb_seconds for one in heard),
        ttfa=spread(one.ttfa_seconds for one in heard),
        audio_per_second=sum(one.audio_seconds for one in heard) / wall,
        underruns=sum(one.underruns for one in heard),
        underrun_seconds=sum(one.underrun_seconds for one in heard),
        streams_with_underruns=sum(one.underruns > 0 for one in heard),
        errors=dict(Counter(one.error for one in heard if one.error).most_common()),
        worker_bytes=worker_bytes,
    )
