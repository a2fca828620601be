"""How many servers does this traffic need, and what does an hour of speech cost?

python -m benchmarks.capacity cost --price-gpu 2.5 --utilisation 0.5
python -m benchmarks.capacity size h100-realtime --rate 40 --kind bursts --p95 0.3
python -m benchmarks.capacity check                # the same traffic on real servers, side by side
python -m benchmarks.capacity measure --write      # all of the page's figures into benchmarks/results/
python -m benchmarks.capacity page                 # and its tables from these
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from benchmarks.capacity import page
from benchmarks.capacity.check import SCENES, TOLERATED, compare
from benchmarks.capacity.devices import devices
from benchmarks.capacity.examples import EXAMPLES, KINDS, N_RUNS, Example, answer
from benchmarks.fresh_process import keep_results
from ttsops.ops.machine import machine

CHECK_SECONDS = 40.0
SEED = 1
EXIT_APART = 1


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.capacity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = found.add_subparsers(dest="verb", required=True)
    cost = verbs.add_parser("cost", help="what an hour of speech costs on each device that was measured")
    gpu, cpu = page.PRICES.values()
    cost.add_argument("--price-gpu", type=float, default=gpu, help="per hour of an H100; made up")
    cost.add_argument("--price-cpu", type=float, default=cpu, help="per hour of two cores; made up, too")
    cost.add_argument("--utilisation", type=_share, default=page.UTILISATION, help="above 0 to 1")
    sizes = verbs.add_parser("size", help="how many servers a traffic needs")
    live = [name for name, one in devices().items() if one.steps and one.live_listeners]
    sizes.add_argument("device", choices=live)
    sizes.add_argument("--rate", type=_positive, required=True, help="requests per second, on average")
    sizes.add_argument("--kind", choices=KINDS, default="poisson")
    sizes.add_argument("--p95", type=_positive, default=0.5, help="seconds to the first audio")
    sizes.add_argument("--runs", type=int, default=N_RUNS)
    check = verbs.add_parser("check", help="simulated and real servers, side by side; exit code 1 if apart")
    check.add_argument("--seconds", type=_positive, default=CHECK_SECONDS)
    check.add_argument("--seed", type=int, default=SEED)
    measure = verbs.add_parser("measure", help="every figure of the page")
    measure.add_argument("--write", action="store_true", help=f"into {page.KEPT.name}")
    verbs.add_parser("page", help="write the tables of docs/operate/capacity.md")
    return found


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _share(text: str) -> float:
    value = _positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is above 1")
    return value


def run_check(seconds: float, seed: int) -> dict[str, Any]:
    scenes = {name: compare(scene, duration_seconds=seconds, seed=seed) for name, scene in SCENES.items()}
    print(page.check_table(scenes))
    return {"machine": machine(), "seconds": seconds, "seed": seed, "scenes": scenes}


def is_near(checked: dict[str, Any]) -> bool:
    return all(
        abs(scene["apart"][name]) <= limit
        for scene in checked["scenes"].values()
        for name, limit in TOLERATED.items()
    )


def measure(*, writes: bool) -> None:
    sizes = []
    for example in EXAMPLES:
        sizes.append(answer(example))
        print(json.dumps(sizes[-1]), file=sys.stderr)
    print(page.size_table(sizes))
    checked = run_check(CHECK_SECONDS, SEED)
    if writes:
        command = "python -m benchmarks.capacity measure --write"
        keep_results(page.KEPT, {"command": command, "sizes": sizes, "check": checked})


def main() -> int:
    args = parser().parse_args()
    if args.verb == "cost":
        prices = dict(zip(page.PRICES, (args.price_gpu, args.price_cpu), strict=True))
        print(page.cost_table(prices, args.utilisation), end="")
    elif args.verb == "size":
        example = Example(args.device, args.kind, args.rate, args.p95)
        print(page.size_table([answer(example, n_runs=args.runs)]), end="")
    elif args.verb == "check":
        return 0 if is_near(run_check(args.seconds, args.seed)) else EXIT_APART
    elif args.verb == "measure":
        measure(writes=args.write)
    else:
        page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
