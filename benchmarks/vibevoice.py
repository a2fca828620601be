"""What VibeVoice-1.5B costs here, beside transformers, on random weights: speed is real, speech is not.

    python -m benchmarks.vibevoice                                          # ours alone
    python -m benchmarks.vibevoice --reference-python ../venv/bin/python    # beside transformers' generate
    python -m benchmarks.vibevoice --reference-python ../venv/bin/python --write

Time per frame of one stream, frames per second of several, the first frame with a new and with a known
voice, memory, and the share of each component against reading its weights once. Every choice is a frame on
both sides. The reference is timed before ours and after, and its better time is taken; each set-up runs in a
process of its own. Its environment, with PyTorch of the same version:

    python -m venv ../venv
    ../venv/bin/pip install torch==2.13.0 transformers==5.23.0 diffusers==0.42.1 -e '.[vibevoice]'

Peaks of 12 GB each. How far 8-bit weights are from fp32: `benchmarks.vibevoice_int8`. On a GPU:
`benchmarks.gpu`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.fresh_process import ROOT, keep_results, run_json
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES

RESULTS = Path(__file__).parent / "results" / "vibevoice.json"
BATCHES = [1, 2, 4]


def ours(dtype: str, args: argparse.Namespace) -> dict[str, Any]:
    print(f"… ours in {dtype}", file=sys.stderr, flush=True)
    wish = {"device": "cpu", "dtype": dtype, "frames": args.frames, "batches": BATCHES, "size": args.size}
    return run_json([sys.executable, "-m", "benchmarks.vibevoice_engine", json.dumps(wish)])


def reference(args: argparse.Namespace) -> list[dict[str, Any]]:
    """One try, if it is wanted."""
    if not args.reference_python:
        return []
    print("… transformers in fp32", file=sys.stderr, flush=True)
    wish = {"device": "cpu", "dtype": "fp32", "frames": args.frames, "size": args.size}
    command = [args.reference_python, "-m", "benchmarks.vibevoice_transformers", json.dumps(wish)]
    return [run_json(command, PYTHONPATH=f"{ROOT / 'src'}:{ROOT}")]


def show_reference(figures: dict[str, Any]) -> None:
    print("\n== transformers, fp32, in this run")
    if "not_run" in figures:
        print(f"not run: {figures['not_run']}")
        return
    print(f"one stream: frame {figures['frame_ms']:.0f} ms, RTF {figures['rtf']:.2f}")
    print(f"first frame: {figures['first_frame_ms']:.0f} ms; peak {figures['peak_mib']:.0f} MiB")
    for name, ms in figures["component_ms"].items():
        print(f"  {name:28} {ms:8.1f} ms")


def show(dtype: str, figures: dict[str, Any], reference: dict[str, Any]) -> None:
    print(f"\n== ours, {dtype}")
    if "not_run" in figures:
        print(f"not run: {figures['not_run']}")
        return
    one, memory, rates = figures["one_stream"], figures["memory"], figures["frames_per_second"]
    print(
        f"one stream: frame {one['frame_ms']:.0f} ms (worst {one['frame_max_ms']:.0f}), RTF {one['rtf']:.2f}"
    )
    if "frame_ms" in reference:
        print(f"frame time / that of transformers in this run: {one['frame_ms'] / reference['frame_ms']:.2f}")
    print(
        f"first frame: {figures['first_frame_new_voice_ms']:.0f} ms with a new voice, "
        f"{figures['first_frame_known_voice_ms']:.0f} ms with a known one"
    )
    print(f"this machine reads {figures['limits']['read_gb_per_second']:.1f} GB/s")
    for name, part in figures["components"].items():
        share = f"{part['share_of_limit']:6.0%} of reading its weights" if "share_of_limit" in part else ""
        print(f"  {name:28} {part['ms']:8.1f} ms {share}")
    for n_streams, rate in rates.items():
        print(f"{n_streams:>4} streams: {rate:8.2f} frames/s, {rate / rates['1']:5.2f} x one")
    known = memory["weights_mib"] + memory["state_mib"]
    above = memory["peak_mib"] - memory["before_loading_mib"]
    print(
        f"peak memory {memory['peak_mib']:.0f} MiB; without the {memory['before_loading_mib']:.0f} of Python "
        f"and PyTorch {above / known:.2f} x weights ({memory['weights_mib']:.0f}) and state of a dialogue "
        f"({memory['state_mib']:.0f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=20, help="frames per figure")
    parser.add_argument("--dtypes", nargs="+", default=["fp32", "int8"])
    parser.add_argument("--reference-python", default="", help="Python that has transformers and diffusers")
    parser.add_argument("--size", default="full", choices=("full", "small"), help="`small` tries it out")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    figures: dict[str, Any] = {"note": NOTES[args.size], "machine": machine(), "torch": torch.__version__}
    print(f"{figures['machine']}, torch {torch.__version__}: {figures['note']}")
    tries = reference(args)
    for dtype in args.dtypes:
        figures[dtype] = ours(dtype, args)
    tries += reference(args)
    if tries:
        figures["transformers"] = min(tries, key=lambda one: one.get("frame_ms", math.inf))
        show_reference(figures["transformers"])
    for dtype in args.dtypes:
        show(dtype, figures[dtype], figures.get("transformers", {}))
    if args.write:
        keep_results(RESULTS, figures)


if __name__ == "__main__":
    main()
