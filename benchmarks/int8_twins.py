"""How far the 8-bit twin of an engine is from fp32: part by part, and over a long run.

Part by part: the fp32 model speaks, and each part of the 8-bit one gets what its twin got and keeps caches of
its own, so that errors add up within a part and not between parts. Long run: the 8-bit model speaks on its
own, with the same text and seed. Weights are random, and random weights are no worst case and no typical one:
what the published ones make of it has to be heard.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES

WINDOWS = (10, 30, 100, 300)
"""Frames from the beginning over which a long run is summed up."""


@dataclass
class Error:
    """Of one part, call by call."""

    relative: list[float] = field(default_factory=list)
    """|8-bit - fp32| / |fp32|, both as lengths of vectors."""

    largest: float = 0.0

    def add(self, found: Tensor, wanted: Tensor) -> None:
        difference = (found - wanted).double()
        self.relative.append(float(difference.norm() / wanted.double().norm().clamp_min(1e-12)))
        self.largest = max(self.largest, float(difference.abs().max()))

    def facts(self) -> dict[str, float]:
        n_tenth = max(1, len(self.relative) // 10)
        return {
            "calls": len(self.relative),
            "relative_mean": float(np.mean(self.relative)),
            "relative_first_tenth": float(np.mean(self.relative[:n_tenth])),
            "relative_last_tenth": float(np.mean(self.relative[-n_tenth:])),
            "largest": self.largest,
        }


class Twins:
    """Stands before a part: fp32 answers, its 8-bit twin gets the same and is compared."""

    def __init__(self, exact: Any, rounded: Any, states: dict[int, Any], error: Error) -> None:
        self.exact = exact
        self._rounded = rounded
        self._states = states
        self._error = error

    def __call__(self, *args: Any) -> Tensor:
        wanted: Tensor = self.exact(*args)
        found = self._rounded(*[self._states.get(id(one), one) for one in args])
        self._error.add(found, wanted)
        return wanted

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exact, name)


@dataclass(frozen=True)
class Family:
    """What differs from engine to engine."""

    modules: Mapping[str, str]
    """Part → its name in the model."""

    states: Sequence[str]
    """Names of what the slots hold that parts remember in."""

    speak: Callable[[Any, int], list[np.ndarray]]
    """So many frames of an engine, always the same."""


def speak_as_twins(
    family: Family, exact: Any, rounded: Any, n_frames: int
) -> tuple[dict[str, Error], list[np.ndarray]]:
    """Errors by part, and the audio in fp32."""
    errors: defaultdict[str, Error] = defaultdict(Error)
    slots, own = exact._slots, rounded._slots
    states = {id(getattr(slots, name)): getattr(own, name) for name in family.states}
    begin = slots.begin

    def begin_both(*what: Any) -> None:
        begin(*what)
        own.begin(*what)

    slots.begin = begin_both
    parts = {
        name: (attribute, getattr(exact._model, attribute)) for name, attribute in family.modules.items()
    }
    for name, (attribute, part) in parts.items():
        twin = getattr(rounded._model, attribute)
        setattr(exact._model, attribute, Twins(part, twin, states, errors[name]))
    try:
        return errors, family.speak(exact, n_frames)
    finally:
        slots.begin = begin
        for attribute, part in parts.values():
            setattr(exact._model, attribute, part)


def long_run(wanted: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> list[dict[str, float]]:
    """How two ways of saying the same drift apart: from the first frame to the n-th."""
    rows = []
    for n in [n for n in WINDOWS if n <= len(wanted)]:
        a, b = (np.concatenate(frames[:n]).astype(np.float64) for frames in (wanted, found))
        noise = float(np.sqrt(np.mean((b - a) ** 2)))
        level_a, level_b = (float(np.sqrt(np.mean(one**2))) for one in (a, b))
        rows.append(
            {
                "frames": n,
                "snr_db": 20 * math.log10(level_a / max(noise, 1e-12)),
                "level_db": 20 * math.log10(level_b / level_a),
                "largest": float(np.abs(b - a).max()),
            }
        )
    return rows


def measure(family: Family, exact: Any, rounded: Any, n_frames: int) -> dict[str, Any]:
    errors, wanted = speak_as_twins(family, exact, rounded, n_frames)
    return {
        "note": NOTES["full"],
        "machine": machine(),
        "torch": torch.__version__,
        "frames": n_frames,
        "parts": {name: error.facts() for name, error in errors.items()},
        "long_run": long_run(wanted, family.speak(rounded, n_frames)),
    }


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['machine']}, torch {figures['torch']}: {figures['note']}")
    print(f"8-bit weights against fp32, {figures['frames']} frames\n")
    print(f"{'part':18} {'relative error':>14} {'first tenth':>12} {'last tenth':>11} {'largest':>9}")
    for name, part in figures["parts"].items():
        print(
            f"{name:18} {part['relative_mean']:14.2%} {part['relative_first_tenth']:12.2%} "
            f"{part['relative_last_tenth']:11.2%} {part['largest']:9.2g}"
        )
    print("\non its own, same text and seed:")
    for row in figures["long_run"]:
        print(
            f"  first {row['frames']:>4} frames: signal to error {row['snr_db']:5.1f} dB, "
            f"level {row['level_db']:+.2f} dB, largest difference {row['largest']:.3f}"
        )
