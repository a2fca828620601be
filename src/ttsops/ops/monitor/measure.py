"""Speaks the suite behind the runtime, as the engine is served, and takes down what each take needed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import psutil

from ttsops.errors import EngineError
from ttsops.ops.loadtest.listener import Ear, Listening
from ttsops.ops.monitor.pace import fixed_work
from ttsops.ops.monitor.suite import MAX_REPEATS, MIN_SYNTHESIS_SECONDS, Suite
from ttsops.runtime import Runtime
from ttsops.speech import Samples, SpeechRequest
from ttsops.text import make_speakable
from ttsops.voices import resolve_voice

REPORT_TRIES, REPORT_WAIT_SECONDS = 50, 0.01
"""For how long the worker's report of its last steps is waited for."""


@dataclass(frozen=True, slots=True)
class Take:
    """One utterance."""

    text: int
    """Index in the suite."""

    audio_seconds: float = 0.0
    synthesis_seconds: float = 0.0
    steps: tuple[float, ...] = ()
    """Seconds of each of the engine's steps; together they are the synthesis. Empty if not all were told."""

    ttfb: float | None = None
    ttfa: float | None = None
    error: str = ""
    """A code; empty if all of it was spoken."""

    @property
    def rtf(self) -> float | None:
        """None if it failed, or if nothing was said."""
        return None if self.error or not self.audio_seconds else self.synthesis_seconds / self.audio_seconds


@dataclass(slots=True)
class Takes:
    """Everything that a run has measured so far; a second round is added to the first."""

    takes: list[Take] = field(default_factory=list)
    audio: dict[int, Samples] = field(default_factory=dict)
    """Samples [N] at 24 kHz of the first good take of each text."""

    pace_seconds: list[float] = field(default_factory=list)
    worker_bytes: int | None = None
    cpu_seconds: float | None = None
    load_seconds: float | None = None
    voice_language: str = ""


OnTake = Callable[[Take], None]


async def speak_suite(
    runtime: Runtime, suite: Suite, so_far: Takes, *, on_take: OnTake = lambda _: None
) -> None:
    """One round: every text `suite.repeats` times, and more often if that took an engine next to no time.

    What fails is a take with an error. Raises a `RequestError` for what the engine does not take.
    """
    service = runtime.service()
    steps: list[float] = []
    service.on_steps = lambda report: steps.extend(report.seconds)
    so_far.load_seconds = service.load_seconds
    voice = resolve_voice(suite.voice, service.card, service.voices)
    so_far.voice_language = _language(runtime, voice)
    requests = [
        SpeechRequest(make_speakable(text, so_far.voice_language), voice=voice, seed=suite.seed)
        for text in suite.texts
    ]
    await _take(runtime, requests[0], 0, steps, so_far)  # what an engine does only once is nobody's RTF
    before = _worker_cpu(runtime)
    seconds = 0.0
    for number in range(MAX_REPEATS):
        if number >= suite.repeats and seconds >= MIN_SYNTHESIS_SECONDS:
            break
        for index in suite.order(number):
            so_far.pace_seconds.append(fixed_work())
            take = await _take(runtime, requests[index], index, steps, so_far)
            so_far.takes.append(take)
            seconds += take.synthesis_seconds
            so_far.worker_bytes = max(so_far.worker_bytes or 0, _worker_bytes(runtime)) or None
            on_take(take)
        if number + 1 >= suite.repeats and any(one.error for one in so_far.takes):
            break
    service.on_steps = None
    after = _worker_cpu(runtime)
    if before is not None and after is not None and after >= before:
        so_far.cpu_seconds = (so_far.cpu_seconds or 0.0) + after - before


async def _take(
    runtime: Runtime, request: SpeechRequest, index: int, steps: list[float], so_far: Takes
) -> Take:
    """Speak alone; `steps` is filled by the worker's reports."""
    steps.clear()
    clock = asyncio.get_running_loop().time
    listening = Listening(clock(), n_chars=len(request.text), sent_at=clock())
    ear = Ear(listening)
    parts: list[Samples] = []
    try:
        async with await runtime.open(request, is_live=False) as stream:
            async for chunk in stream:
                if len(chunk.samples):
                    ear.hear(clock(), chunk.samples, chunk.sample_rate)
                    parts.append(chunk.samples)
    except EngineError as error:
        return Take(index, error=error.code)
    if parts and index not in so_far.audio:
        so_far.audio[index] = np.concatenate(parts)
    synthesis = stream.stats.synthesis_seconds or 0.0
    return Take(
        index,
        audio_seconds=listening.audio_seconds,
        synthesis_seconds=synthesis,
        steps=await _all_steps(steps, synthesis),
        ttfb=listening.ttfb_seconds,
        ttfa=listening.ttfa_seconds,
    )


async def _all_steps(steps: list[float], synthesis_seconds: float) -> tuple[float, ...]:
    """The last report comes after the last sample."""
    for _ in range(REPORT_TRIES):
        if math.isclose(sum(steps), synthesis_seconds, rel_tol=1e-6):
            return tuple(steps)
        await asyncio.sleep(REPORT_WAIT_SECONDS)
    return ()


def _language(runtime: Runtime, voice: str) -> str:
    """Of the voice; a variant (`en-us+f3`) speaks as its base does."""
    ids = (voice, voice.partition("+")[0])
    return next((one.language for one in runtime.service().voices if one.id in ids), "")


def _worker(runtime: Runtime) -> psutil.Process | None:
    pid = runtime.service().worker_pid
    try:
        return psutil.Process(pid) if pid else None
    except psutil.Error:
        return None


def _worker_bytes(runtime: Runtime) -> int:
    worker = _worker(runtime)
    try:
        return int(worker.memory_info().rss) if worker else 0
    except psutil.Error:
        return 0


def _worker_cpu(runtime: Runtime) -> float | None:
    worker = _worker(runtime)
    try:
        times = worker.cpu_times() if worker else None
    except psutil.Error:
        return None
    return times.user + times.system if times else None
