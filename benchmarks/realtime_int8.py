"""How far 8-bit weights are from fp32: VibeVoice-Realtime at full size, see `int8_twins`.

python -m benchmarks.realtime_int8             # 300 frames: 40 s of audio
python -m benchmarks.realtime_int8 --write     # and keep the figures in benchmarks/results/
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh_process import keep_results
from benchmarks.int8_twins import Family, measure, show
from benchmarks.realtime_engine import MAX_POSITIONS, MODULES, open_one
from ttsops.engines import EngineConfig, registry
from ttsops.engines.contract import Engine

RESULTS = Path(__file__).parent / "results" / "realtime_int8.json"
ENGINE = "vibevoice-realtime"


def create(dtype: str) -> Any:
    options = {"random_weights": "full", "max_positions": MAX_POSITIONS}
    return registry.create(ENGINE, EngineConfig(device="cpu", dtype=dtype, max_streams=1, options=options))


def speak(engine: Engine, n_frames: int) -> list[np.ndarray]:
    utterance = open_one(engine, 0, n_frames)
    frames = [engine.step([utterance])[0].samples for _ in range(n_frames)]
    engine.close(utterance)
    assert all(len(frame) for frame in frames), "the stream has ended"
    return frames


FAMILY = Family(MODULES, ("text", "speech", "decoder"), speak)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    figures = measure(FAMILY, create("fp32"), create("int8"), args.frames)
    show(figures)
    if args.write:
        keep_results(RESULTS, figures)


if __name__ == "__main__":
    main()
