"""How far 8-bit weights are from fp32: VibeVoice-1.5B at full size, see `int8_twins`.

python -m benchmarks.vibevoice_int8             # 300 frames: 40 s of audio; needs 20 GB
python -m benchmarks.vibevoice_int8 --write     # and keep the figures in benchmarks/results/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.fresh_process import keep_results
from benchmarks.int8_twins import Family, measure, show
from benchmarks.vibevoice_engine import TIMED, create, open_one, to_first_frame
from ttsops.engines.contract import Engine

RESULTS = Path(__file__).parent / "results" / "vibevoice_int8.json"


def speak(engine: Engine, n_frames: int) -> list[np.ndarray]:
    utterance = open_one(engine, 0, n_frames)
    frames: list[np.ndarray] = []
    while len(frames) < n_frames:
        samples = engine.step([utterance])[0].samples
        frames += [samples] if len(samples) else []
    engine.close(utterance)
    return frames


FAMILY = Family(TIMED, ("cache", "decoder", "listener"), speak)


def ready(dtype: str, size: str) -> Engine:
    """Its voice is known: what is compared begins with the script."""
    engine: Engine = create("cpu", dtype, size, 1, 0)
    utterance = open_one(engine, 0, 1)
    to_first_frame(engine, utterance)
    engine.close(utterance)
    return engine


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--size", default="full", choices=("full", "small"), help="`small` tries it out")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    figures = measure(FAMILY, ready("fp32", args.size), ready("int8", args.size), args.frames)
    show(figures)
    if args.write:
        keep_results(RESULTS, figures)


if __name__ == "__main__":
    main()
