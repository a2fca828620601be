"""What VibeVoice-Realtime costs here, on random weights of full size: speed is real, speech is not.

    python -m benchmarks.vibevoice_realtime            # everything this machine has a device for
    python -m benchmarks.vibevoice_realtime --write    # and keep the figures in benchmarks/results/
    python -m benchmarks.vibevoice_realtime --reference ../VibeVoice --reference-python ../venv/bin/python

Time per frame, real-time factor (RTF) and first chunk of one stream; the share of each component in a frame,
and how near it is to what the machine can do; frames per second of several streams together; memory; live
listeners through the runtime. `--reference` times the published code (github.com/microsoft/VibeVoice) on the
same weights in the same run, before ours and after, and takes its better time. Its environment:

    git clone https://github.com/microsoft/VibeVoice ../VibeVoice
    python -m venv ../venv
    ../venv/bin/pip install -e '.[vibevoice]' transformers==4.51.3 diffusers==0.35.2
    ../venv/bin/pip install accelerate librosa scipy ml-collections absl-py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.fresh_process import ROOT, keep_results, run_json
from ttsops.engines.vibevoice_realtime.windows import SPEECH_WINDOW
from ttsops.ops.bench import Plan, Scene, run_bench
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES
from ttsops.settings import EngineSettings, Settings

RESULTS = Path(__file__).parent / "results" / "vibevoice_realtime.json"
ENGINE = "vibevoice-realtime"

CPU_VARIANTS = ("fp32", "int8")
CPU_BATCHES = [1, 3, 8]
CPU_LISTENERS = 3
CUDA_VARIANTS = ("bf16",)
CUDA_BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
CUDA_LISTENERS = 256

RECORDED_ELSEWHERE = {
    "machine": "2 x AMD EPYC (AVX2, no AVX-512), torch 2.13.0, fp32, 12 frames",
    "reference_frame_ms": 656,
    "reference_rtf": 4.92,
    "reference_first_chunk_ms": 581,
}
"""Of the published code, on another machine and at another time: no base for a ratio."""


def engine_figures(device: str, dtype: str, frames: int, batches: list[int]) -> dict[str, Any]:
    wish = {"device": device, "dtype": dtype, "frames": frames, "batches": batches}
    return run_json([sys.executable, "-m", "benchmarks.realtime_engine", json.dumps(wish)])


def reference_figures(repository: Path, python: str, frames: int) -> dict[str, Any]:
    command = [python, "-m", "benchmarks.vibevoice_reference", str(repository.resolve()), str(frames)]
    return run_json([*command, str(torch.get_num_threads())], PYTHONPATH=str(ROOT / "src"))


def live_figures(device: str, dtype: str, plan: Plan) -> dict[str, Any]:
    """Listeners in real time, as `ttsops bench` measures them."""
    setup = EngineSettings(device=device, dtype=dtype, options={"max_positions": 2048})  # type: ignore[arg-type]
    settings = Settings(engine=ENGINE, engines={ENGINE: setup})
    return asdict(asyncio.run(run_bench(settings, plan, random_weights="full")))


def measure_cpu(args: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    reference = reference_tries(args)
    for dtype in args.dtypes:
        figures = engine_figures("cpu", dtype, args.frames, CPU_BATCHES)
        if "not_run" not in figures and args.seconds:
            plan = Plan(first=CPU_LISTENERS, limit=CPU_LISTENERS, scene=Scene(seconds=args.seconds))
            figures["live"] = live_figures("cpu", dtype, plan)
        found[dtype] = figures
    reference += reference_tries(args)
    if reference:
        found["reference"] = min(reference, key=lambda figures: figures.get("frame_ms", math.inf))
        show_reference(found["reference"])
    for dtype in args.dtypes:
        show(f"CPU, {dtype}", found[dtype], found.get("reference", {}))
    return found


def reference_tries(args: argparse.Namespace) -> list[dict[str, Any]]:
    """One, if it is wanted."""
    if not args.reference:
        return []
    return [reference_figures(args.reference, args.reference_python, args.frames)]


def measure_cuda(args: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(0)}
    for dtype in CUDA_VARIANTS:
        figures = engine_figures("cuda:0", dtype, args.frames, CUDA_BATCHES)
        if "not_run" not in figures and args.seconds:
            plan = Plan(limit=CUDA_LISTENERS, is_search=True, scene=Scene(seconds=args.seconds))
            figures["live"] = live_figures("cuda:0", dtype, plan)
        found[dtype] = figures
        show(f"{found['device']}, {dtype}", figures, {})
    return found


def show_reference(figures: dict[str, Any]) -> None:
    print("\n== the published code, in this run")
    if "not_run" in figures:
        print(f"not run: {figures['not_run']}")
        return
    print(f"one stream: frame {figures['frame_ms']:.1f} ms, RTF {figures['rtf']:.3f}")
    print(f"first chunk: {figures['first_chunk_ms']:.1f} ms")
    for name, ms in figures["component_ms"].items():
        print(f"  {name:18} {ms:8.1f} ms")


def show(title: str, figures: dict[str, Any], reference: dict[str, Any]) -> None:
    print(f"\n== {title}: {NOTES['full']}", flush=True)
    if "not_run" in figures:
        print(f"not run: {figures['not_run']}")
        return
    one, memory, limits = figures["one_stream"], figures["memory"], figures["limits"]
    print(f"threads {figures['threads']}, loaded in {figures['load_seconds']:.1f} s")
    print(
        f"one stream: frame {one['frame_ms']:.1f} ms (worst {one['frame_max_ms']:.1f}), RTF {one['rtf']:.3f}"
    )
    print(f"first chunk: {figures['first_chunk_ms']:.1f} ms")
    if "frame_ms" in reference:
        print(f"frame time / the published code's in this run: {one['frame_ms'] / reference['frame_ms']:.2f}")
    print(
        f"this machine: reads {limits['read_gb_per_second']:.1f} GB/s, "
        f"multiplies {limits['gflops_per_second']:.0f} GFLOP/s"
    )
    for name, part in figures["components"].items():
        share = f"{part['share_of_limit']:6.0%} of the limit" if "share_of_limit" in part else ""
        print(f"  {name:18} {part['ms']:8.1f} ms {share}")
    rates = figures["frames_per_second"]
    for n_streams, rate in rates.items():
        print(f"{n_streams:>4} streams: {rate:8.1f} frames/s, {rate / rates['1']:5.2f} x one")
    known = memory["weights_mib"] + memory["state_mib"]
    above = memory["peak_mib"] - memory["before_loading_mib"]
    print(
        f"peak memory {memory['peak_mib']:.0f} MiB = {memory['peak_mib'] / known:.2f} x weights "
        f"({memory['weights_mib']:.0f}) and state of a stream ({memory['state_mib']:.0f}); without the "
        f"{memory['before_loading_mib']:.0f} of Python and PyTorch {above / known:.2f} x"
    )
    for level in figures.get("live", {}).get("levels", []):
        ttfb = level["ttfb"] or {"p50": float("nan"), "p95": float("nan")}
        print(
            f"{level['streams']:>4} live listeners, {level['wall_seconds']:.0f} s: {level['underruns']} "
            f"underruns ({level['underrun_seconds']:.2f} s), first audio {1000 * ttfb['p50']:.0f} ms "
            f"(p95 {1000 * ttfb['p95']:.0f})"
        )
    if capacity := figures.get("live", {}).get("capacity"):
        print(f"most live listeners without an underrun: {capacity}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=36, help="frames per figure, in whole windows of six")
    parser.add_argument("--seconds", type=float, default=15.0, help="of live listeners; 0 to leave them out")
    parser.add_argument("--dtypes", nargs="+", default=list(CPU_VARIANTS), help="on the CPU")
    parser.add_argument("--reference", type=Path, help="a clone of github.com/microsoft/VibeVoice")
    parser.add_argument("--reference-python", default=sys.executable, help="Python that can run it")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    args.frames = SPEECH_WINDOW * -(-args.frames // SPEECH_WINDOW)
    figures: dict[str, Any] = {"note": NOTES["full"], "machine": machine(), "torch": torch.__version__}
    print(f"{figures['machine']}, torch {torch.__version__}: {NOTES['full']}")
    figures["cpu"] = measure_cpu(args)
    if torch.cuda.is_available():
        figures["cuda"] = measure_cuda(args)
    else:
        print("\n== GPU\nno GPU here: not run")
        figures["cuda"] = {"not_run": "no GPU here"}
    if not args.reference:
        elsewhere = RECORDED_ELSEWHERE
        print(
            f"\n== the published code, recorded elsewhere ({elsewhere['machine']}): frame "
            f"{elsewhere['reference_frame_ms']} ms, RTF {elsewhere['reference_rtf']}, first chunk "
            f"{elsewhere['reference_first_chunk_ms']} ms; no base for a ratio"
        )
    if args.write:
        keep_results(RESULTS, figures)


if __name__ == "__main__":
    main()
