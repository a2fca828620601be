"""Engines for sweeps, and speech to judge: made once, by the embedded voice."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ttsops.ops.quality.manifest import Manifest
from ttsops.ops.quality.sweep import OnTake, Plan, run_sweep
from ttsops.runtime import Runtime
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import SAMPLE_RATE, Samples, SpeechRequest

SENTENCES = (
    "The next train leaves from platform nine.",
    "I have moved your appointment to Thursday at half past three.",
    "Here is what I found: two museums are open today, and the smaller one has no queue at all.",
)

Sweep = Callable[..., Manifest]


def tone(**options: Any) -> Settings:
    return Settings(engine="tone", engines={"tone": EngineSettings(options=options)})


def small_realtime() -> Settings:
    setup = EngineSettings(device="cpu", options={"max_positions": 512, "threads": 1})
    return Settings(engine="vibevoice-realtime", engines={"vibevoice-realtime": setup})


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """Runs a sweep into `sweep` of the test's folder."""

    def run(settings: Settings, plan: Plan, on_take: OnTake = lambda _: None) -> Manifest:
        return asyncio.run(run_sweep(settings, plan, tmp_path / "sweep", on_take=on_take))

    return run


@pytest.fixture
def without_dnsmos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the package, whether it has it or not: its models take half a minute to load."""
    monkeypatch.setitem(sys.modules, "speechmos", None)


@pytest.fixture(scope="session")
def speech() -> tuple[Samples, ...]:
    """Each of `SENTENCES` [N] at 24 kHz."""

    async def speak() -> tuple[Samples, ...]:
        async with Runtime(Settings(engine="espeak"), in_process=True) as runtime:
            found = []
            for sentence in SENTENCES:
                async with await runtime.open(SpeechRequest(sentence), is_live=False) as stream:
                    found.append(np.concatenate([chunk.samples async for chunk in stream]))
            return tuple(found)

    return asyncio.run(speak())


def sine(hertz: float, seconds: float = 1.0, amplitude: float = 0.5, rate: int = SAMPLE_RATE) -> Samples:
    times = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
