"""The curve as SVG: step time, time to first audio and stalls over live streams, one panel each."""

from __future__ import annotations

from collections.abc import Sequence

from ttsops.ops.bench.level import Level
from ttsops.ops.bench.run import Bench
from ttsops.ops.svg import BAD, GREY, LIGHT, RIGHT, SOLID, WIDTH, Axis, Line, Panel, Picture, axis_across

PANELS: tuple[Panel[Level], ...] = (
    Panel(
        "step, ms",
        (
            Line("p50", SOLID, lambda level: 1000 * level.step.p50 if level.step else None),
            Line("p95", LIGHT, lambda level: 1000 * level.step.p95 if level.step else None),
        ),
    ),
    Panel(
        "time to first audio, ms",
        (
            Line("p50", SOLID, lambda level: 1000 * level.ttfb.p50 if level.ttfb else None),
            Line("p95", LIGHT, lambda level: 1000 * level.ttfb.p95 if level.ttfb else None),
        ),
    ),
    Panel("underruns", (Line("all listeners", BAD, lambda level: float(level.underruns)),)),
)


def plot_svg(bench: Bench) -> bytes:
    """The whole picture; what must be said of the weights is said in it."""
    picture = Picture(
        len(PANELS),
        f"{bench.engine}: live streams on one machine",
        bench.machine,
        bench.note or _verdict(bench),
        is_alarm=bool(bench.note),
    )
    across = axis_across([float(level.streams) for level in bench.levels])
    for panel in PANELS:
        _draw_panel(picture, panel, bench, across)
    return picture.finish("live streams")


def _verdict(bench: Bench) -> str:
    return f"{bench.capacity} streams without an underrun"


def _draw_panel(picture: Picture, panel: Panel[Level], bench: Bench, across: Axis) -> None:
    curves = [_points(line, bench.levels) for line in panel.lines]
    frame = picture.panel(panel.title, across, [y for curve in curves for _, y in curve])
    if bench.capacity:
        x = across.place(bench.capacity)
        picture.line(x, frame.top, x, frame.bottom, GREY, dash="4 3")
        picture.text(x - 5, frame.top + 12, f"{bench.capacity}", anchor="end", colour=GREY)
    legend = WIDTH - RIGHT
    for line, curve in reversed(list(zip(panel.lines, curves, strict=True))):
        picture.text(legend, frame.top - 7, line.label, anchor="end", colour=line.colour)
        legend -= 10 + 7 * len(line.label)
        picture.curve(frame, curve, line.colour)


def _points(line: Line[Level], levels: Sequence[Level]) -> list[tuple[float, float]]:
    """Of the tries of a level the better one, which decided."""
    best: dict[int, Level] = {}
    for level in levels:
        if level.streams not in best or level.underruns < best[level.streams].underruns:
            best[level.streams] = level
    found = [(float(n), line.value(level)) for n, level in sorted(best.items())]
    return [(n, value) for n, value in found if value is not None]
