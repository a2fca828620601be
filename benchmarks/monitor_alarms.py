"""How often the monitor is wrong: an engine that was slowed by 15 % behind its back, and one by 3 %.

    python -m benchmarks.monitor_alarms            # 10 runs of the norm, then 20 of each in turns
    python -m benchmarks.monitor_alarms --write    # and keep the result in benchmarks/results/

The engine is `tone`, a test signal whose steps take a set time. What is run has another pace than what the
settings say, so that the set-up's hash is that of the norm, as it is when a build or a machine got slower.
Every judged run is compared with the same ten runs: its own line is not kept. A suspicion is measured again,
as `ttsops monitor run` does. Each run's slowdown is printed, too: it tells how near the limit they come.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from ttsops.ops.machine import machine
from ttsops.ops.monitor import Plan, Run, run_monitor
from ttsops.ops.monitor.run import prepare_settings
from ttsops.ops.monitor.subject import revision
from ttsops.ops.monitor.suite import Suite
from ttsops.settings import EngineSettings, Settings

RESULTS = Path(__file__).parent / "results" / "monitor_alarms.json"
PACE = 0.1
"""RTF of the norm."""

CHUNK_SECONDS = 0.4
"""A step takes 40 ms: what a timer is late by on a busy machine is little of it."""

N_NORM = 10
SLOWDOWNS = {"15 %": 0.15, "3 %": 0.03}
MUST_ALARM = "15 %"


def settings_at(pace: float) -> Settings:
    setup = EngineSettings(options={"rtf": pace, "chunk_seconds": CHUNK_SECONDS})
    return prepare_settings(Settings(engine="tone", engines={"tone": setup}))


def run_once(history: Path, slowdown: float) -> Run:
    plan = Plan(
        history=history,
        suite=Suite(repeats=3),
        with_predictions=False,
        measured=settings_at(PACE * (1 + slowdown)),
    )
    return asyncio.run(run_monitor(settings_at(PACE), plan))


def judge_often(n_runs: int, folder: Path) -> dict[str, list[Run]]:
    norm = folder / "norm.jsonl"
    for number in range(N_NORM):
        run = run_once(norm, 0.0)
        print(f"norm {number + 1:2d}: best RTF {run.figures.rtf_best:.5f}", flush=True)
    found: dict[str, list[Run]] = {name: [] for name in SLOWDOWNS}
    for number in range(n_runs):
        for name, slowdown in SLOWDOWNS.items():
            copy = folder / "judged.jsonl"
            shutil.copy(norm, copy)
            run = run_once(copy, slowdown)
            found[name].append(run)
            told = f"{run.verdict.slowdown:+.2%} in {run.verdict.rounds} rounds, {run.verdict.word}"
            print(f"slowed by {name:>4}, run {number + 1:2d}: {told}", flush=True)
    return found


def summarise(found: dict[str, list[Run]]) -> dict[str, Any]:
    rows = {}
    for name, runs in found.items():
        slowdowns = [run.verdict.slowdown or 0.0 for run in runs]
        rows[name] = {
            "runs": len(runs),
            "alarms": sum(run.verdict.word == "regression" for run in runs),
            "slowdown_min": round(min(slowdowns), 4),
            "slowdown_max": round(max(slowdowns), 4),
            "machine_slowdown_max": round(max(run.verdict.machine_slowdown or 0.0 for run in runs), 4),
        }
    return {
        "slowed_by": rows,
        "misses": rows[MUST_ALARM]["runs"] - rows[MUST_ALARM]["alarms"],
        "false_alarms": sum(row["alarms"] for name, row in rows.items() if name != MUST_ALARM),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    load_before = os.getloadavg()
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = summarise(judge_often(given.runs, Path(folder)))
    about = {
        "machine": machine(),
        "revision": revision(),
        "load_average_before": [round(one, 2) for one in load_before],
        "load_average_after": [round(one, 2) for one in os.getloadavg()],
        "seconds": round(time.monotonic() - started_at),
        "limit": msgspec.to_builtins(Settings().monitor.max_slowdown),
    }
    text = json.dumps(about | result, indent=2) + "\n"
    print(text)
    if given.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
