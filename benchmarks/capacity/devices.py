"""What was measured of each device and engine, read from benchmarks/results/, and what follows from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from benchmarks.capacity.steps import StepModel
from benchmarks.fresh_process import ROOT

RESULTS = ROOT / "benchmarks" / "results"
FRAME_SECONDS = 3200 / 24_000
"""Of both VibeVoice families."""


@dataclass(frozen=True)
class Device:
    """An engine on a device. Speeds are real, the weights were random."""

    name: str
    """For the command line."""

    device: str
    engine: str
    source: str
    """File of the measurement."""

    steps: StepModel | None
    """None for an engine that does not speak by frames: it is not simulated."""

    live_listeners: int | None
    """Real-time listeners at a time who all heard no underrun; None if that was not measured."""

    is_at_least: bool
    """More listeners were not tried."""

    speech_per_second: float
    """The most seconds of speech made per second, whatever the number of utterances at a time: for files."""

    def listener_price(self, per_hour: float, utilisation: float) -> float | None:
        """Of an hour of speech that is listened to while it is made, at a price per hour of the device.

        `utilisation`: mean listeners / those who could listen, 0 to 1. None where nobody could.
        """
        return per_hour / (self.live_listeners * utilisation) if self.live_listeners else None

    def file_price(self, per_hour: float) -> float:
        """Of an hour of speech that is made for files, while there is work."""
        return per_hour / self.speech_per_second


def devices() -> dict[str, Device]:
    """By name."""
    gpu = _read("gpu.json")
    cpu = _read("vibevoice_realtime.json")["cpu"]
    f5 = _read("f5.json")["cpu"]["fp32"]["together"]
    h100, two_cores = "NVIDIA H100 80GB", "2 CPU cores"
    found = [
        _frames(
            "h100-realtime",
            h100,
            "`vibevoice-realtime`, bf16",
            "gpu.json",
            gpu["realtime"],
            first_ms=gpu["realtime"]["first_chunk_ms"],
            live=gpu["realtime_live"]["capacity"],
            is_at_least=gpu["realtime_live"]["is_limited"],
        ),
        _frames(
            "h100-vibevoice",
            h100,
            "`vibevoice` 1.5B, bf16",
            "gpu.json",
            gpu["vibevoice"],
            first_ms=gpu["vibevoice"]["first_frame_known_voice_ms"],
            live=gpu["vibevoice_live"]["listeners"] if not gpu["vibevoice_live"]["underruns"] else None,
            is_at_least=True,
        ),
        _frames(
            "h100-vibevoice-large",
            h100,
            "`vibevoice` Large, bf16",
            "gpu.json",
            gpu["large"],
            first_ms=gpu["large"]["first_frame_known_voice_ms"],
            live=None,
            is_at_least=False,
        ),
        _files("h100-f5", h100, "`f5`, bf16", "gpu.json", gpu["f5"]["together"]),
        _frames(
            "cpu2-realtime-int8",
            two_cores,
            "`vibevoice-realtime`, int8",
            "vibevoice_realtime.json",
            cpu["int8"],
            first_ms=cpu["int8"]["first_chunk_ms"],
            live=cpu["int8"]["live"]["capacity"],
            is_at_least=cpu["int8"]["live"]["is_limited"],
        ),
        _frames(
            "cpu2-realtime-fp32",
            two_cores,
            "`vibevoice-realtime`, fp32",
            "vibevoice_realtime.json",
            cpu["fp32"],
            first_ms=cpu["fp32"]["first_chunk_ms"],
            live=cpu["fp32"]["live"]["capacity"],
            is_at_least=False,
        ),
        _files("cpu2-f5", two_cores, "`f5`, fp32", "f5.json", f5),
    ]
    return {one.name: one for one in found}


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return content


def _frames(
    name: str,
    device: str,
    engine: str,
    source: str,
    measured: dict[str, Any],
    *,
    first_ms: float,
    live: int | None,
    is_at_least: bool,
) -> Device:
    """A step is a frame for each utterance in it."""
    per_second = {int(n): float(value) for n, value in measured["frames_per_second"].items()}
    seconds_of = {n: n / value for n, value in per_second.items()}
    one = seconds_of[min(seconds_of)]
    steps = StepModel(seconds_of, FRAME_SECONDS, open_seconds=max(0.0, first_ms / 1000 - one))
    most = max(per_second.values()) * FRAME_SECONDS
    return Device(name, device, engine, source, steps, live, is_at_least, most)


def _files(name: str, device: str, engine: str, source: str, together: dict[str, Any]) -> Device:
    most = max(float(one["audio_per_second"]) for one in together.values())
    return Device(name, device, engine, source, None, None, False, most)
