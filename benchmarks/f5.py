"""What F5-TTS costs here, beside the package `f5-tts`, on random weights: speed is real, speech is not.

    python -m benchmarks.f5 --reference-python ../f5/bin/python          # all of it, about ten minutes
    python -m benchmarks.f5 --reference-python ../f5/bin/python --write  # and keep it in benchmarks/results/
    python -m benchmarks.f5 --quick                                      # small model: tries the script out

The published side needs an environment with PyTorch of the same version:

    python -m venv ../f5
    ../f5/bin/pip install torch==2.13.0
    ../f5/bin/pip install --no-deps f5-tts==1.1.22 vocos==0.1.0 encodec torchaudio
    ../f5/bin/pip install accelerate cached_path datasets ema-pytorch einops hydra-core librosa matplotlib
    ../f5/bin/pip install msgspec psutil pydub pypinyin pyyaml rjieba safetensors scipy soundfile torchdiffeq
    ../f5/bin/pip install transformers wandb x-transformers

(If torchaudio's compiled parts do not load with that PyTorch, remove its `.so` files: they are not used
here.)

One chunk: both sides are given the same tokens, frames and noise, and the largest difference between their
mels says that they computed the same. First audio of a long text: each side plans its chunks; the package
does so in `infer_process` (chunks as long as fit) or in its socket server (a first chunk of a quarter of
that), and it is this plan, more than speed, that the ratios tell of. Together: short requests opened at once;
the package has them as chunks in its pool of threads. RTF is seconds per second of audio that is heard, the
reference not counted. Shares of the limit compare counted operations with the rate of a product of matrices
in the same run. CPU seconds are of all threads: on a machine that others use, compare these. Memory is above
what the process had before it loaded the model, kernels loaded; activations are counted for one step
(`f5_work.py`). Every set-up runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.f5_engine import VOICES_FOLDER
from benchmarks.f5_report import show
from benchmarks.f5_scene import EQUAL, QUICKER, VOICES
from benchmarks.fresh_process import ROOT, keep_results, run_json
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES
from ttsops.voices.library import VoiceLibrary

RESULTS = Path(__file__).parent / "results" / "f5.json"
PARTS = ("equal", "options", "long", "together", "memory")
BATCHES = [1, 2, 4, 8]
REFERENCE_BATCHES = [1, 2]
CUDA_BATCHES = [1, 2, 4, 8, 16, 32]
EXACT = "fp32"


@contextmanager
def scene() -> Iterator[Path]:
    """A folder with the voices, as a library for us and as samples for the other side."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = VoiceLibrary(folder / VOICES_FOLDER)
        for voice in VOICES:
            library.add(voice.id, voice.wav(), voice.transcript, consent="noise, a recording of nobody")
            np.save(folder / f"{voice.id}.npy", library.reference(voice.id).samples)
        yield folder


class Bench:
    """Runs set-ups, each in its own process, and says so as it goes."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self._common = {
            "folder": str(folder),
            "size": "small" if args.quick else "full",
            "threads": args.threads or torch.get_num_threads(),
        }
        self._python = args.reference_python

    def ours(self, what: str, *parts: str, **wish: Any) -> dict[str, Any]:
        print(f"… {what}", file=sys.stderr, flush=True)
        wish = self._common | {"parts": parts} | wish
        return run_json([sys.executable, "-m", "benchmarks.f5_engine", json.dumps(wish)])

    def published(self, *parts: str) -> dict[str, Any]:
        print(f"… the package f5-tts: {', '.join(parts)}", file=sys.stderr, flush=True)
        wish = self._common | {"parts": parts, "batches": REFERENCE_BATCHES}
        command = [self._python, "-W", "ignore", "-m", "benchmarks.f5_reference", json.dumps(wish)]
        return run_json(command, PYTHONPATH=str(ROOT / "src"))


def measure_cpu(bench: Bench, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    shared = [part for part in ("equal", "long", "together") if part in args.parts]
    if args.reference_python and shared:
        found["published"] = bench.published(*shared)
    for dtype in args.dtypes:
        parts = shared
        if dtype != EXACT:
            parts = [part for part in shared if part != "together"] + ["quicker"] * ("options" in args.parts)
        if parts:
            what = f"ours in {dtype}: {', '.join(parts)}"
            found[dtype] = bench.ours(what, *parts, dtype=dtype, batches=BATCHES, is_whole=args.whole)
    if EXACT in args.dtypes and {"options", "memory"} & set(args.parts):
        found["only_nfe"] = bench.ours(
            "ours with its modulation weights dropped", "quicker", only_nfe=str(QUICKER.nfe)
        )
    if "memory" in args.parts:
        found["growth"] = bench.ours("ours, many requests to a small model", "growth", size="small")
    if args.twice and "equal" in found.get("published", {}):
        tries = [found["published"], bench.published("equal")]
        chunks = [one["equal"] for one in tries if "equal" in one]
        found["published"]["equal"] = min(chunks, key=lambda chunk: chunk["seconds"])
    found["mel"] = {dtype: mel_difference(folder, dtype) for dtype in args.dtypes}
    return found


def mel_difference(folder: Path, dtype: str) -> dict[str, float] | None:
    """Between both sides, after all steps; None if either did not run."""
    paths = [folder / f"{side}-{EQUAL.nfe}.npy" for side in ("published", f"ours-{dtype}")]
    if not all(path.exists() for path in paths):
        return None
    theirs, ours = (np.load(path) for path in paths)
    made = theirs[-EQUAL.n_new :]
    difference = np.abs(theirs - ours)
    return {"largest": float(difference.max()), "mean": float(difference.mean()), "std": float(made.std())}


def measure_cuda(bench: Bench) -> dict[str, Any]:
    """The grid of steps in fp16 with the network compiled, and requests together."""
    if not torch.cuda.is_available():
        return {"not_run": "no GPU here"}
    figures = bench.ours(
        "ours on a GPU",
        "grid",
        "together",
        device="cuda:0",
        dtype="fp16",
        batches=CUDA_BATCHES,
        is_whole=True,
    )
    return {"device": torch.cuda.get_device_name(0)} | figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--reference-python", default="", help="Python that has f5-tts; without it, ours alone"
    )
    parser.add_argument("--dtypes", nargs="+", default=["fp32", "int8"], help="on the CPU")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--threads", type=int, default=0, help="of both sides; 0 for PyTorch's choice")
    parser.add_argument("--quick", action="store_true", help="the small model, whose figures say nothing")
    parser.add_argument("--whole", action="store_true", help="take every step of requests together")
    parser.add_argument("--twice", action="store_true", help="time the package's chunk after ours, too")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    if args.write and args.quick:
        parser.error("figures of the small model are not kept")
    figures: dict[str, Any] = {
        "note": NOTES["small" if args.quick else "full"],
        "machine": machine(),
        "torch": torch.__version__,
    }
    with scene() as folder:
        bench = Bench(folder, args)
        figures["cpu"] = measure_cpu(bench, folder, args)
        figures["cuda"] = measure_cuda(bench)
    show(figures)
    if args.write:
        keep_results(RESULTS, figures)


if __name__ == "__main__":
    main()
