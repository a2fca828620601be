"""What the engines say on a GPU beside what they say on the CPU: small random weights, the same request.

    python -m benchmarks.gpu_parity

Each line is one comparison, with the largest difference between samples in [-1, 1] and what is tolerated. In
fp32 a GPU adds in another order, and feedback from frame to frame makes that larger; bf16 and fp16 are
compared over their first frame. Prints JSON; exit code 1 if one of them is too far.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.f5 import scene
from benchmarks.f5_engine import VOICES_FOLDER
from ttsops.engines import EngineConfig, registry
from ttsops.engines.contract import Engine
from ttsops.speech import OptionValue, Samples, SpeechRequest
from ttsops.testing import speak, speak_together

ATOL = 1e-3
HALF_SHARE = 0.05
"""Of the loudness of the first frame, what half precision may be off."""

FRAME = 3200
TEXT = "The first bus leaves at seven, and the second one an hour later. "

Options = dict[str, OptionValue]


def make(engine: str, device: str, dtype: str, **options: OptionValue) -> Engine:
    config = EngineConfig(
        device=device, dtype=dtype, max_streams=4, options={"random_weights": "small"} | options
    )
    made = registry.create(engine, config)
    made.warm_up()
    return made


def requests(engine: Engine) -> list[SpeechRequest]:
    voices = engine.voices()
    return [SpeechRequest(TEXT * (1 + i), voice=voices[i % len(voices)].id, seed=i) for i in range(3)]


def furthest(found: Sequence[Samples], expected: Sequence[Samples]) -> float:
    """Infinite if they are not equally long."""
    if [len(one) for one in found] != [len(one) for one in expected]:
        return float("inf")
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))


def alone(engine: Engine) -> list[Samples]:
    return [speak(engine, request).samples for request in requests(engine)]


def together(engine: Engine) -> list[Samples]:
    return [one.samples for one in speak_together(engine, requests(engine))]


def first_frame_off(found: Sequence[Samples], expected: Sequence[Samples]) -> float:
    """RMS of the difference over the first frame, as a share of its RMS."""
    one, other = found[0][:FRAME], expected[0][:FRAME]
    if not np.isfinite(found[0]).all():
        return float("inf")
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


class Report:
    """Comparisons, as they are made."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def compare(self, what: str, measure: Callable[[], float], tolerated: float) -> None:
        line: dict[str, Any] = {"what": what, "tolerated": tolerated}
        try:
            line["off"] = measure()
            line["is_ok"] = line["off"] <= tolerated
        except Exception as e:
            line |= {"is_ok": False, "failed": f"{type(e).__name__}: {e}"}
            traceback.print_exc()
        self.lines.append(line)
        print(line, file=sys.stderr, flush=True)


def compare_engine(report: Report, engine: str, device: str, forms: Sequence[str], options: Options) -> None:
    cpu = alone(make(engine, "cpu", "fp32", **options))
    for form in forms:
        compare_form(report, engine, device, options | ({"step_form": form} if form else {}), cpu)


def compare_form(report: Report, engine: str, device: str, options: Options, cpu: Sequence[Samples]) -> None:
    title = f"{engine} {options.get('step_form', '')}".strip()
    half = "fp16" if engine == "f5" else "bf16"

    def on_device() -> float:
        return furthest(alone(make(engine, device, "fp32", **options)), cpu)

    def in_a_batch() -> float:
        made = make(engine, device, "fp32", **options)
        return furthest(together(made), alone(made))

    def in_half() -> float:
        return first_frame_off(alone(make(engine, device, half, **options)), cpu)

    report.compare(f"{title}, fp32: {device} and CPU", on_device, ATOL)
    report.compare(f"{title}, fp32: together and alone", in_a_batch, ATOL)
    report.compare(f"{title}, {half}: {device} and CPU in fp32, first frame", in_half, HALF_SHARE)


def main() -> None:
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda:0"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    report = Report()
    compare_engine(report, "vibevoice-realtime", device, ("ragged", "static"), {"max_positions": 512})
    compare_engine(report, "vibevoice", device, ("ragged", "static"), {"max_positions": 512})
    with scene() as folder:
        voices: Options = {"voices": str(Path(folder) / VOICES_FOLDER), "compile": "never"}
        compare_engine(report, "f5", device, ("",), voices)
    print(json.dumps(report.lines))
    sys.exit(0 if all(line["is_ok"] for line in report.lines) else 1)


if __name__ == "__main__":
    main()
