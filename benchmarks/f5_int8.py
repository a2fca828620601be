"""How far 8-bit layers are from fp32 in F5-TTS at full size, and what they gain.

    python -m benchmarks.f5_int8                         # some minutes
    python -m benchmarks.f5_int8 --threads 1 --write     # and keep the figures in benchmarks/results/

One block: every block of the fp32 network gets its input in a step, its 8-bit twin gets the same. Velocity:
one step of the whole network, from the same noise. Mel: both sample on their own, step by step in turns, so
that what else the machine does takes from both; the times of a step are medians of these. CPU seconds are
what to compare on a shared machine, seconds where it is idle. Weights are random, and random weights are no
worst case and no typical one: what the published ones make of it has to be heard.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.few_row_products import Others
from benchmarks.memory import kept_bytes
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import FULL, random_model
from ttsops.engines.f5.sampler import Flow, advance, start_flow, velocity
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.nn.many_rows import make_rounded, weight_levels
from ttsops.engines.nn.native import native_part
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES

RESULTS = Path(__file__).parent / "results" / "f5_int8.json"
SEED = 0
CFG_STRENGTH = 2.0
N_REF, N_FRAMES = 499, 988
"""5.3 s of a voice and 5.2 s of speech."""

MEL_MEAN, MEL_STD = -3.0, 2.5
"""About those of speech, as logarithms."""


class Twins:
    """Stands before a block: fp32 answers, its 8-bit twin gets the same and is compared and timed."""

    def __init__(self, exact: Any, rounded: Any) -> None:
        self._blocks = (exact, rounded)
        self.cpu_seconds: list[float] = []
        self.relative = 0.0
        """Of what the block adds to its input."""

    def __call__(self, x: Tensor, *rest: Any) -> Tensor:
        found = []
        for block in self._blocks:
            started_at = time.process_time()
            found.append(block(x, *rest))
            self.cpu_seconds.append(time.process_time() - started_at)
        wanted, rounded = found
        self.relative = relative(rounded - x, wanted - x)
        return wanted


def relative(found: Tensor, wanted: Tensor) -> float:
    """|found - wanted| / |wanted|, as lengths of vectors."""
    return float((found - wanted).double().norm() / wanted.double().norm())


def start(model: F5Model, n_steps: int, n_frames: int) -> Flow:
    generator = torch.Generator().manual_seed(SEED)
    n_ref = n_frames * N_REF // N_FRAMES
    reference = MEL_MEAN + MEL_STD * torch.randn(n_ref, FULL.dit.n_mels, generator=generator)
    ids = torch.randint(FULL.dit.n_tokens, (n_frames // 7,), generator=generator).tolist()
    return start_flow(
        model, reference, ids, n_frames, Schedule(n_steps), cfg_strength=CFG_STRENGTH, seed=SEED
    )


def block_figures(exact: F5Model, rounded: F5Model, n_frames: int) -> dict[str, float]:
    """Errors and times of all blocks in one step."""
    blocks = exact.dit._blocks
    twins = [Twins(*pair) for pair in zip(blocks, rounded.dit._blocks, strict=True)]
    exact.dit._blocks = twins  # type: ignore[assignment]
    try:
        velocity(exact, [start(exact, 1, n_frames)])
    finally:
        exact.dit._blocks = blocks
    errors = [twin.relative for twin in twins]
    return {
        "relative_mean": statistics.mean(errors),
        "relative_max": max(errors),
        "fp32_cpu_ms": 1000 * statistics.median(twin.cpu_seconds[0] for twin in twins),
        "int8_cpu_ms": 1000 * statistics.median(twin.cpu_seconds[1] for twin in twins),
    }


def velocity_figures(exact: F5Model, rounded: F5Model, n_frames: int) -> dict[str, float]:
    """Errors of the first step's velocity: with text and voice, without, and as guidance joins them."""
    wanted, found = (velocity(model, [start(model, 1, n_frames)]) for model in (exact, rounded))
    guided = [torch.add(one, one - other, alpha=CFG_STRENGTH) for one, other in (wanted, found)]
    return {
        "conditional": relative(found[0], wanted[0]),
        "unconditional": relative(found[1], wanted[1]),
        "guided": relative(guided[1], guided[0]),
    }


def mel_figures(exact: F5Model, rounded: F5Model, n_steps: int, n_frames: int) -> dict[str, Any]:
    """The mels that both end with, and the times of their steps, taken in turns."""
    models = {"fp32": exact, "int8": rounded}
    flows = {name: start(model, n_steps, n_frames) for name, model in models.items()}
    cpu_seconds: dict[str, list[float]] = {name: [] for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for i in range(n_steps):
        for name in sorted(models, reverse=bool(i % 2)):
            cpu_started_at, started_at = time.process_time(), time.perf_counter()
            advance(models[name], [flows[name]])
            cpu_seconds[name].append(time.process_time() - cpu_started_at)
            seconds[name].append(time.perf_counter() - started_at)
    wanted, found = (flows[name].speech() for name in models)
    return {
        "steps": n_steps,
        "nmse": relative(found, wanted) ** 2,
        "step_cpu_seconds": {name: statistics.median(each) for name, each in cpu_seconds.items()},
        "step_seconds": {name: statistics.median(each) for name, each in seconds.items()},
    }


def measure(n_steps: int, n_frames: int) -> dict[str, Any]:
    others = Others()
    exact, rounded = random_model(FULL, SEED), random_model(FULL, SEED, layer=make_rounded)
    velocity(rounded, [start(rounded, 1, 64)])  # the first pays for what is done once
    return {
        "note": NOTES["full"],
        "machine": machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "is_native": native_part() is not None,
        "weight_levels": weight_levels(),
        "frames": n_frames,
        "cfg_strength": CFG_STRENGTH,
        "dit_mib": {
            "fp32": kept_bytes(exact.dit, set()) / 2**20,
            "int8": kept_bytes(rounded.dit, set()) / 2**20,
        },
        "block": block_figures(exact, rounded, n_frames),
        "velocity": velocity_figures(exact, rounded, n_frames),
        "mel": mel_figures(exact, rounded, n_steps, n_frames),
        "others_share": others.share(),
    }


def show(figures: dict[str, Any]) -> None:
    block, mel, sizes = figures["block"], figures["mel"], figures["dit_mib"]
    rounding = "native" if figures["is_native"] else "PyTorch's"
    print(f"{figures['machine']}, torch {figures['torch']}: {figures['note']}")
    print(
        f"8-bit layers (weights up to {figures['weight_levels']}, {rounding} rounding) against fp32, "
        f"{figures['threads']} threads, {figures['frames']} frames, guidance {figures['cfg_strength']:g}\n"
    )
    print(f"{'':24} {'fp32':>9} {'int8':>9} {'gain':>6}")
    for what, exact, rounded, unit in (
        ("block, CPU time", block["fp32_cpu_ms"], block["int8_cpu_ms"], "ms"),
        ("step, CPU time", *mel["step_cpu_seconds"].values(), "s"),
        ("step, time", *mel["step_seconds"].values(), "s"),
        ("transformer, memory", sizes["fp32"], sizes["int8"], "MiB"),
    ):
        print(f"{what:24} {exact:9.2f} {rounded:9.2f} {exact / rounded:5.2f}x {unit}")
    mean, most = block["relative_mean"], block["relative_max"]
    print(f"\nerror of what a block adds: {mean:.2%}, at most {most:.2%}")
    print("error of a velocity: " + ", ".join(f"{n} {e:.2%}" for n, e in figures["velocity"].items()))
    print(f"error of the mel after {mel['steps']} steps (NMSE): {mel['nmse']:.3g}")
    print(f"other processes took {figures['others_share']:.0%} of one processor meanwhile")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=0, help="PyTorch's own choice if 0")
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--frames", type=int, default=N_FRAMES, help="reference included")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    if args.threads:
        torch.set_num_threads(args.threads)
    figures = measure(args.steps, args.frames)
    show(figures)
    if args.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"Wrote {RESULTS}", file=sys.stderr)


if __name__ == "__main__":
    main()
