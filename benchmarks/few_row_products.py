"""Products of few rows with weights that no cache holds: `python -m benchmarks.few_row_products`, a minute.

    python -m benchmarks.few_row_products --shapes 896x4864 2048x8192 --rows 1 2 8
    python -m benchmarks.few_row_products --ways torch native native-int8 --write

For each way of multiplying and each number of rows: billions of weights per second, which is how fast a step
reads its model. Every way takes its turn in each repeat, over its own set of distinct matrices, larger than
the caches; the figure is the median of the repeats. What the machine reads at most is measured in the same
run, and so is what other processes took of its processors meanwhile: above a few percent, ask again later.

`torch.compile` is not here: with frozen weights it takes a quarter of a minute per number of rows, and what
it then calls are the prepacked products below.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.machine_limits import best_seconds
from ttsops.engines.nn.few_rows import PackedLinear, round_weights
from ttsops.engines.nn.native import CACHE, LEVELS, cpu_features, load
from ttsops.ops.machine import machine

RESULTS = Path(__file__).parent / "results" / "few_row_products.json"

SHAPES = {
    "896x9728": "language model, gate and up",
    "4864x896": "language model, down",
    "896x1152": "language model, q, k and v",
    "896x896": "language model, output of attention",
    "896x5376": "diffusion head, gate and up",
    "2688x896": "diffusion head, down",
    "2048x8192": "decoder, first stage",
    "8192x2048": "decoder, first stage, back",
    "4096x8192": "decoder, first upsampling",
}
"""Inputs x outputs → where; any other shape can be asked for, too."""

ROWS = (1, 2, 4, 6, 8, 16, 32, 64)
BURST_SECONDS = 0.02
MATMUL = Callable[[Tensor], object]


@dataclass
class Way:
    """One way of multiplying."""

    name: str
    bytes_per_weight: int
    make: Callable[[Tensor], MATMUL]
    """From fp32 weights [O, I] to a product with rows [R, I]; its own copy of the weights."""

    layers: list[MATMUL] = field(default_factory=list)
    at: int = 0

    def seconds(self, x: Tensor) -> float:
        """Of one product, over one burst."""
        n, started_at = 0, time.perf_counter()
        while n < 3 or time.perf_counter() - started_at < BURST_SECONDS:
            self.layers[self.at](x)
            self.at = (self.at + 1) % len(self.layers)
            n += 1
        return (time.perf_counter() - started_at) / n


def plain(weight: Tensor, dtype: torch.dtype) -> MATMUL:
    kept = weight.to(dtype, copy=True)
    return lambda x: functional.linear(x.to(dtype), kept)


def row_by_row(weight: Tensor) -> MATMUL:
    kept = weight.clone()
    return lambda x: [torch.mv(kept, row) for row in x]


def prepacked(weight: Tensor, dtype: torch.dtype) -> MATMUL:
    """oneDNN's own order of weights, as `torch.compile` uses it."""
    kept = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype, copy=True), 8)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x.to(dtype), kept, None, "none", [], "")


def weight_only(weight: Tensor) -> MATMUL:
    rounded, scales = round_weights(weight, weight.shape[1])
    scales = scales[:, 0].bfloat16()
    return lambda x: torch._weight_int8pack_mm(x.bfloat16(), rounded, scales)


def dynamic(weight: Tensor, engine: str) -> MATMUL:
    """Inputs rounded to 8 bits, with one scale for all rows."""
    rounded, scales = round_weights(weight, weight.shape[1])
    zeros = torch.zeros(len(weight), dtype=torch.long)
    torch.backends.quantized.engine = engine
    quantised = torch._make_per_channel_quantized_tensor(rounded, scales[:, 0], zeros, 0)
    kept = torch.ops.quantized.linear_prepack(quantised, None)

    def multiply(x: Tensor) -> Tensor:
        torch.backends.quantized.engine = engine
        return torch.ops.quantized.linear_dynamic(x, kept, reduce_range=True)

    return multiply


def integers(weight: Tensor) -> MATMUL:
    """Only the product of rounded numbers, without what makes them."""
    rounded, _ = round_weights(weight, weight.shape[1])
    kept = rounded.t()
    return lambda x: torch._int_mm(x.to(torch.int8), kept)


def all_ways() -> list[Way]:
    ways = [
        Way("torch", 4, partial(plain, dtype=torch.float32)),
        Way("torch-row-by-row", 4, row_by_row),
        Way("onednn-prepacked", 4, partial(prepacked, dtype=torch.float32)),
        Way("torch-bf16", 2, partial(plain, dtype=torch.bfloat16)),
        Way("onednn-prepacked-bf16", 2, partial(prepacked, dtype=torch.bfloat16)),
        Way("torch-int8-weights", 1, weight_only),
        Way("torch-int-mm", 1, integers),
    ]
    for engine in ("x86", "fbgemm", "onednn"):
        if engine in torch.backends.quantized.supported_engines:
            ways.append(Way(f"dynamic-{engine}", 1, partial(dynamic, engine=engine)))
    best = True
    for level in LEVELS:
        if level.features <= cpu_features():
            library = load(level, Path.home() / CACHE)
            name = "native" if best else f"native-{level.name}"
            ways.append(Way(name, 4, partial(PackedLinear, library, bias=None, bits=32)))
            ways.append(Way(f"{name}-int8", 1, partial(PackedLinear, library, bias=None, bits=8)))
            best = False
    return ways


SLOW = ("torch-row-by-row", "torch-int-mm", "dynamic-onednn", "native-avx2", "native-avx2-int8")
"""Left out unless asked for: far behind, or for older processors."""


@dataclass
class Others:
    """What other processes take of the processors, as a share of one, since it was made."""

    def __post_init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._busy()
        self._started_at = time.perf_counter()

    def share(self) -> float:
        return max(0.0, self._busy() - self._before) / (time.perf_counter() - self._started_at)

    def _busy(self) -> float:
        times, own = psutil.cpu_times(), self._process.cpu_times()
        return sum(times) - times.idle - times.iowait - own.user - own.system


def measure(way_names: Sequence[str], shape: str, rows: Sequence[int], args: argparse.Namespace) -> Any:
    """Way → billions of weights per second for each number of rows."""
    n_in, n_out = (int(size) for size in shape.split("x"))
    weight = torch.randn(n_out, n_in, generator=torch.Generator().manual_seed(0))
    ways = [way for way in all_ways() if way.name in way_names]
    for way in ways:
        n_bytes = weight.numel() * way.bytes_per_weight
        way.layers = [way.make(weight) for _ in range(max(2, args.megabytes * 2**20 // n_bytes))]
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    for n_rows in rows:
        x = torch.randn(n_rows, n_in)
        for way in ways:
            way.seconds(x)
        tries = [[way.seconds(x) for way in ways] for _ in range(args.repeats)]
        for i, way in enumerate(ways):
            seconds = statistics.median(one[i] for one in tries)
            found[way.name].append(weight.numel() / seconds / 1e9)
    return found


def read_bytes_per_second(megabytes: int) -> float:
    data = torch.ones(megabytes * 2**20 // 4)
    return data.nbytes / best_seconds(data.sum, torch.device("cpu"))


def show(found: dict[str, list[float]], shape: str, rows: Sequence[int], sizes: dict[str, int]) -> None:
    where = SHAPES.get(shape, "")
    print(f"\n{shape} {where}: billions of weights per second (GB/s at the first number of rows)")
    print(f"| {'rows':22} |" + "".join(f"{n:>6} |" for n in rows) + "  GB/s |")
    print("|---|" + "---|" * (len(rows) + 1))
    for name, rates in found.items():
        cells = "".join(f"{rate:6.1f} |" for rate in rates)
        print(f"| {name:22} |{cells} {rates[0] * sizes[name]:5.1f} |")


def main() -> None:
    sizes = {way.name: way.bytes_per_weight for way in all_ways()}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--shapes", nargs="+", default=["896x9728"], help=f"inputs x outputs: {', '.join(SHAPES)}"
    )
    parser.add_argument("--rows", nargs="+", type=int, default=list(ROWS))
    parser.add_argument(
        "--ways", nargs="+", choices=sizes, default=[name for name in sizes if name not in SLOW]
    )
    parser.add_argument("--megabytes", type=int, default=1100, help="of weights for each way")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    figures: dict[str, Any] = {"machine": machine(), "threads": torch.get_num_threads(), "rows": args.rows}
    others = Others()
    gb_per_second = read_bytes_per_second(args.megabytes) / 1e9
    figures |= {"torch": torch.__version__, "read_gb_per_second": gb_per_second, "shapes": {}}
    print(f"{figures['machine']}, torch {torch.__version__}, {figures['threads']} threads")
    print(
        f"reads {gb_per_second:.1f} GB/s: at most {gb_per_second / 4:.1f} G fp32 weights/s, "
        f"{gb_per_second:.1f} G 8-bit ones"
    )
    for shape in args.shapes:
        figures["shapes"][shape] = measure(args.ways, shape, args.rows, args)
        show(figures["shapes"][shape], shape, args.rows, sizes)
    figures["others_share"] = others.share()
    print(f"\nother processes took {figures['others_share']:.0%} of one processor meanwhile")
    if args.write:
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"Wrote {RESULTS}", file=sys.stderr)


if __name__ == "__main__":
    main()
