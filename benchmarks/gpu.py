"""All neural engines on a GPU: do they say there what they say on a CPU, and how fast are they?

    python -m benchmarks.gpu --out benchmarks/results/gpu.json        # about ten minutes
    python -m benchmarks.gpu --out /tmp/gpu.json --only parity realtime

Random weights: speed and parity are real, speech is not. Figures are written after each part, so that a part
that fails loses none before it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.f5 import scene
from benchmarks.fresh_process import ROOT, keep_results
from benchmarks.vibevoice_engine import only_frames
from ttsops.engines import registry
from ttsops.ops.bench import Plan, Scene, run_bench
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES
from ttsops.runtime import Runtime
from ttsops.runtime.stream import StreamStats
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import SpeechRequest

FRAMES = 48
LIVE_SECONDS = 12.0
F5_BATCHES = [1, 4, 16]


def run(module: str, *arguments: str, timeout: float) -> Any:
    """The last line that a program prints; `not_run`, and the end of what it complained of, if it fails."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired as e:
        said = e.stderr.decode() if isinstance(e.stderr, bytes) else str(e.stderr)
        return {"not_run": f"took longer than {timeout:.0f} s", "said": said[-2000:]}
    lines = done.stdout.strip().splitlines()
    if not lines:
        return {"not_run": f"exit code {done.returncode}", "said": done.stderr[-4000:]}
    return json.loads(lines[-1])


def live(engine: str, n_listeners: int, **options: Any) -> dict[str, Any]:
    """Listeners in real time, as `ttsops bench` measures them."""
    setup = EngineSettings(device="cuda:0", dtype="bf16", max_streams=n_listeners, options=options)
    settings = Settings(engine=engine, engines={engine: setup})
    plan = Plan(first=n_listeners, limit=n_listeners, scene=Scene(seconds=LIVE_SECONDS))
    return asdict(asyncio.run(run_bench(settings, plan, random_weights="full")))


def all_frames(engine: Any) -> Any:
    """Random weights of `vibevoice` choose marks at random, and pauses no speaker would make."""
    model = engine._model
    model.choices = only_frames(model)
    return engine


async def listen(engine: str, n_listeners: int, options: dict[str, Any]) -> dict[str, Any]:
    """Listeners through the runtime, each of whom hears nothing but frames; the engine is on a thread."""
    setup = EngineSettings(device="cuda:0", dtype="bf16", max_streams=n_listeners, options=options)
    settings = Settings(engine=engine, engines={engine: setup})
    request = SpeechRequest("a" * round(2 * LIVE_SECONDS * 7.5), options={"guard": "off"})

    async def hear(runtime: Runtime, number: int) -> StreamStats:
        await asyncio.sleep(0.05 * number)
        async with await runtime.open(replace(request, seed=number)) as stream:
            async for _ in stream:
                pass
        return stream.stats

    async with Runtime(settings, in_process=True) as runtime:
        started_at = time.monotonic()
        stats = await asyncio.gather(*(hear(runtime, i) for i in range(n_listeners)))
    first = sorted(one.first_audio_seconds or 0.0 for one in stats)
    return {
        "listeners": n_listeners,
        "wall_seconds": time.monotonic() - started_at,
        "audio_seconds": sum(one.audio_seconds for one in stats),
        "underruns": sum(one.underruns for one in stats),
        "first_audio_p50_ms": 1000 * first[len(first) // 2],
        "first_audio_max_ms": 1000 * first[-1],
    }


def parity() -> Any:
    return run("benchmarks.gpu_parity", timeout=150)


def realtime() -> Any:
    wish = {"device": "cuda:0", "dtype": "bf16", "frames": FRAMES, "batches": [1, 8, 32, 64, 128]}
    return run("benchmarks.realtime_engine", json.dumps(wish), timeout=120)


def realtime_live() -> Any:
    return live("vibevoice-realtime", 64, max_positions=2048)


def vibevoice() -> Any:
    wish = {"device": "cuda:0", "dtype": "bf16", "frames": FRAMES, "batches": [1, 8, 32]}
    return run("benchmarks.vibevoice_engine", json.dumps(wish), timeout=150)


def vibevoice_live() -> Any:
    """The most that the engine takes, all at once."""
    create = registry.create
    registry.create = lambda *args: all_frames(create(*args))  # type: ignore[assignment]
    try:
        options = {"random_weights": "full", "max_positions": 2048}
        return asyncio.run(listen("vibevoice", 32, options))
    finally:
        registry.create = create


def transformers() -> Any:
    """As `generate` of transformers does it, on the same weights."""
    wish = {"device": "cuda:0", "dtype": "bf16", "frames": FRAMES}
    return run("benchmarks.vibevoice_transformers", json.dumps(wish), timeout=120)


def large() -> Any:
    wish = {"device": "cuda:0", "dtype": "bf16", "frames": FRAMES, "batches": [1, 8], "size": "large"}
    return run("benchmarks.vibevoice_engine", json.dumps(wish), timeout=240)


def f5() -> Any:
    with scene() as folder:
        wish = {
            "folder": str(folder),
            "size": "full",
            "threads": 0,
            "parts": ["grid", "together"],
            "device": "cuda:0",
            "dtype": "fp16",
            "batches": F5_BATCHES,
            "is_whole": True,
        }
        return run("benchmarks.f5_engine", json.dumps(wish), timeout=200)


PARTS: tuple[Callable[[], Any], ...] = (
    parity,
    vibevoice,
    realtime,
    vibevoice_live,
    transformers,
    f5,
    large,
    realtime_live,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where the figures go")
    parser.add_argument("--only", nargs="+", choices=[part.__name__ for part in PARTS], help="these parts")
    args = parser.parse_args()
    figures: dict[str, Any] = {
        "note": NOTES["full"],
        "machine": machine(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none",
        "torch": torch.__version__,
    }
    if args.out.exists():  # the parts that were measured before
        figures = json.loads(args.out.read_text()) | figures
    for part in PARTS:
        if args.only and part.__name__ not in args.only:
            continue
        started_at = time.monotonic()
        try:
            figures[part.__name__] = part()
        except Exception as e:  # the parts after it are measured all the same
            figures[part.__name__] = {"not_run": f"{type(e).__name__}: {e}"}
        keep_results(args.out, figures)
        seconds = time.monotonic() - started_at
        print(f"{part.__name__}, {seconds:.0f} s: {json.dumps(figures[part.__name__])[:3000]}", flush=True)


if __name__ == "__main__":
    main()
