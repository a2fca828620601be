"""ONNX Runtime against PyTorch on a CPU: F5-TTS at full size with random weights, one thread.

    python -m benchmarks.f5_onnx             # 3 rounds: some minutes, 5 GiB of memory, 1.2 GiB of disk
    python -m benchmarks.f5_onnx --write     # and keep the figures in benchmarks/results/

A step is one evaluation of a guided chunk: two rows, with the text and without. The runtimes take turns in
one process, each round in another order, and what is told of each is its fastest round in seconds of CPU
time, which other programs on the machine disturb least. The 8-bit form is what `quantize_dynamic` of ONNX
Runtime makes of the exported network: inputs of its products are rounded as they come, weights per column, to
seven bits, so that sums do not overflow where a processor adds pairs of products in 16. The engine does not
offer it. Weights are random: what rounding does to the published ones has to be heard.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ttsops.engines.f5.model import F5Model, Network
from ttsops.engines.f5.onnx_export import write_graphs
from ttsops.engines.f5.onnx_folder import DIT_FILE, Origin, read_manifest
from ttsops.engines.f5.onnx_runtime import OnnxDiT, use_graphs
from ttsops.engines.f5.random_model import FULL, SMALL, random_model
from ttsops.engines.f5.schedule import Schedule
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES

RESULTS = Path(__file__).parent / "results" / "f5_onnx.json"
LENGTHS = (500, 750, 988)
VOCODER_FRAMES = 376
"""A window of the vocoder, as the engine decodes it."""

NFE = 7


def quantised(dit: Path, out: Path) -> OnnxDiT:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        dit,
        out,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
    )
    return OnnxDiT(out, torch.float32)


def inputs(model: F5Model, n_frames: int) -> tuple[Tensor, ...]:
    """What the first step of a guided chunk is given, of noise instead of a voice."""
    generator = torch.Generator().manual_seed(n_frames)
    n_mels = model.config.mel.n_mels
    x = torch.randn(1, n_frames, n_mels, generator=generator).expand(2, -1, -1).contiguous()
    cond = torch.randn(2, n_frames, n_mels, generator=generator)
    cond[1] = 0.0
    text = model.text(range(60), n_frames, is_guided=True)
    return x, cond, text, model.modulations.table(Schedule(NFE))[:1].expand(2, -1).contiguous()


def race(
    runners: Mapping[str, Callable[[], Tensor]], n_rounds: int
) -> tuple[dict[str, float], dict[str, Any]]:
    """CPU seconds of the fastest round of each, and what each gave."""
    names = list(runners)
    given = {name: runners[name]() for name in names}  # memory is found, caches are filled
    best = dict.fromkeys(names, float("inf"))
    for i in range(n_rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            started_at = time.process_time()
            runners[name]()
            best[name] = min(best[name], time.process_time() - started_at)
    return best, given


def errors(given: Mapping[str, Tensor]) -> dict[str, dict[str, float]]:
    """Against the first."""
    wanted, *_ = given.values()
    return {
        name: {
            "largest": float((found - wanted).abs().max()),
            "relative": float((found - wanted).norm() / wanted.norm()),
        }
        for name, found in list(given.items())[1:]
    }


def row(what: str, best: Mapping[str, float], given: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"what": what, "cpu_seconds": best, "errors": errors(given)}


@torch.inference_mode()
def measure(size: str, n_rounds: int, folder: Path) -> dict[str, Any]:
    sizes = FULL if size == "full" else SMALL
    with torch.inference_mode(False), torch.no_grad():
        model = random_model(sizes, 0)
        started_at = time.perf_counter()
        write_graphs(model, Origin(random_weights=size), folder / "f5", "fp32")
        export_seconds = time.perf_counter() - started_at
    exported = copy.copy(model)
    started_at = time.perf_counter()
    use_graphs(exported, folder / "f5", read_manifest(folder / "f5"))
    open_seconds = time.perf_counter() - started_at
    (folder / "int8").mkdir()
    networks: dict[str, Network] = {
        "torch": model.dit,
        "onnx": exported.dit,
        "onnx int8": quantised(folder / "f5" / DIT_FILE, folder / "int8" / DIT_FILE),
    }
    rows = []
    for n_frames in LENGTHS:
        given = inputs(model, n_frames)
        steps = {name: partial(one.forward, *given, None) for name, one in networks.items()}
        rows.append(row(f"step of {n_frames} frames", *race(steps, n_rounds)))
    mel = 2.0 * torch.randn(1, VOCODER_FRAMES, model.config.mel.n_mels) - 2.0
    vocoders = {"torch": partial(model.vocos, mel), "onnx": partial(exported.vocos, mel)}
    rows.append(row(f"vocoder, {VOCODER_FRAMES} frames", *race(vocoders, n_rounds)))
    return {
        "note": NOTES[size],
        "machine": machine(),
        "versions": {name: version(name) for name in ("torch", "onnx", "onnxruntime")},
        "threads": torch.get_num_threads(),
        "rounds": n_rounds,
        "export_seconds": export_seconds,
        "open_seconds": open_seconds,
        "bytes": {
            name: sum(path.stat().st_size for path in (folder / name).iterdir()) for name in ("f5", "int8")
        },
        "rows": rows,
    }


def show(figures: dict[str, Any]) -> None:
    versions = ", ".join(f"{name} {one}" for name, one in figures["versions"].items())
    sizes = " and ".join(f"{n_bytes / 1e6:.0f} MB ({name})" for name, n_bytes in figures["bytes"].items())
    print(f"{figures['machine']}; {versions}; {figures['threads']} thread: {figures['note']}")
    print(
        f"exported in {figures['export_seconds']:.0f} s, opened in {figures['open_seconds']:.1f} s, {sizes}"
    )
    print(f"CPU seconds of the fastest of {figures['rounds']} rounds\n")
    for one in figures["rows"]:
        best = one["cpu_seconds"]
        print(f"{one['what']:22}" + "".join(f"  {name} {seconds:.3f}" for name, seconds in best.items()))
        for name, error in one["errors"].items():
            print(
                f"{'':22}  {name}: {best[name] / best['torch']:.2f} of the time of torch, "
                f"largest difference {error['largest']:.2g}, relative {error['relative']:.2%}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=("full", "small"), default="full")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(args.size, args.rounds, Path(folder))
    show(figures)
    if args.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"Wrote {RESULTS}", file=sys.stderr)


if __name__ == "__main__":
    main()
