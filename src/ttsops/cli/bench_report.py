"""A bench's result for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ttsops.ops.bench import Bench, Level

IDLE_BELOW = 0.9
"""A busy share below this, and underruns: the engine was not what was waited for."""

COLUMNS = (
    "streams",
    "step ms",
    "p95",
    "batch",
    "busy",
    "TTFB ms",
    "p95",
    "TTFA p95",
    "underruns",
    "stalls s",
    "errors",
)


def render(bench: Bench) -> RenderableType:
    """Everything, top to bottom."""
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for level in bench.levels:
        table.add_row(*_cells(level))
    meanings = "medians and 95th percentiles; TTFB: asked to first audio, TTFA: asked to first audible sample"
    texts = [*_verdict(bench), "", meanings]
    return Group(Text("\n".join(_head(bench))), Text(), table, Text(), Text("\n".join(texts)))


def _head(bench: Bench) -> Iterator[str]:
    yield f"{bench.engine} on {bench.machine} (device {bench.device}, {bench.dtype})"
    if bench.note:
        yield bench.note


def _cells(level: Level) -> Iterator[str]:
    yield str(level.streams)
    yield _ms(level.step.p50 if level.step else None)
    yield _ms(level.step.p95 if level.step else None)
    yield f"{level.batch_mean:.1f}"
    yield f"{level.busy_share:.0%}"
    yield _ms(level.ttfb.p50 if level.ttfb else None)
    yield _ms(level.ttfb.p95 if level.ttfb else None)
    yield _ms(level.ttfa.p95 if level.ttfa else None)
    yield str(level.underruns or "")
    yield f"{level.underrun_seconds:.2f}" if level.underruns else ""
    yield ", ".join(f"{count} {code}" for code, count in level.errors.items())


def _verdict(bench: Bench) -> Iterator[str]:
    if not bench.capacity:
        yield "not even the first level was kept up with"
    elif bench.is_limited:
        yield f"{bench.capacity} live streams without an underrun, and more were not tried"
    else:
        yield f"{bench.capacity} live streams without an underrun"
    too_many = next((level for level in bench.levels if level.streams > bench.capacity), None)
    if too_many is not None and too_many.busy_share < IDLE_BELOW:
        yield (
            f"the engine was idle for {1 - too_many.busy_share:.0%} of the time in which {too_many.streams} "
            "listeners ran dry: what is short are the cores beside it, on which they listen"
        )
    if bench.bytes_per_stream:
        yield (
            f"memory of a stream: {bench.bytes_per_stream / 2**20:.1f} MiB; the engine holds "
            f"{bench.max_streams} at once"
        )
    used = [level.worker_bytes for level in bench.levels if level.worker_bytes]
    if used:
        yield f"memory of the worker process: up to {max(used) / 2**20:.0f} MiB"


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.4g}"
