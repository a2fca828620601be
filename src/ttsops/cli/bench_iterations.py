"""`ttsops bench --iterations`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict

import click

from ttsops.cli.output import print_json, warn
from ttsops.cli.progress import LateProgress
from ttsops.cli.warmup import load_lines
from ttsops.ops.bench import Deviation, Iteration, Iterations, Scene, run_iterations
from ttsops.ops.random_weights import RandomWeights
from ttsops.settings import Settings

COLUMNS = ("mean", "median", "p95", "p99", "min", "max", "deviation")


def run(
    settings: Settings, n_iterations: int, scene: Scene, random_weights: RandomWeights, *, as_json: bool
) -> None:
    """Measure, and print it."""
    with LateProgress(n_iterations) as progress:

        def on_iteration(number: int, iteration: Iteration) -> None:
            progress.update(number, f"RTF {iteration.rtf:.3g}")

        result = asyncio.run(
            run_iterations(
                settings, n_iterations, scene, random_weights=random_weights, on_iteration=on_iteration
            )
        )
    if result.note:
        warn(result.note)
    if as_json:
        print_json(asdict(result))
    else:
        click.echo("\n".join(_lines(result)))


def _lines(result: Iterations) -> Iterator[str]:
    yield f"{result.engine} on {result.machine} (device {result.device}, {result.dtype})"
    if result.note:
        yield result.note
    yield f"{result.rtf.n} iterations, {result.audio_seconds:.1f} s of speech"
    yield f"{'':<16}" + "".join(f"{name:>11}" for name in COLUMNS)
    for name, figure, unit in (
        ("RTF", result.rtf, 1),
        ("first chunk ms", result.first_chunk, 1000),
        ("chunks", result.chunks, 1),
    ):
        yield _row(name, figure, unit)
    yield from load_lines(result.loads)
    yield f"memory of the worker process: up to {result.worker_bytes / 2**20:.0f} MiB"


def _row(name: str, figure: Deviation, unit: int) -> str:
    return f"{name:<16}" + "".join(f"{unit * getattr(figure, column):>11.4g}" for column in COLUMNS)
