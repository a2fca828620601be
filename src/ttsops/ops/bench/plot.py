"""The curve as SVG: step time, time to first audio and stalls over live streams, one panel each.

Written with the standard library: three line charts do not need a plotting package, which would be larger
than everything else that is installed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from ttsops.ops.bench.level import Level
from ttsops.ops.bench.run import Bench

WIDTH, PANEL_HEIGHT, GAP = 720, 150, 44
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 96, 48
SOLID, LIGHT, BAD, GREY = "#1f5fa8", "#8fb6de", "#c0392b", "#777777"
FONT = "font-family: system-ui, sans-serif; font-size: 12px"
N_TICKS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of a panel."""

    label: str
    colour: str
    value: Callable[[Level], float | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart."""

    title: str
    lines: tuple[Line, ...]


PANELS = (
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
    height = TOP + len(PANELS) * PANEL_HEIGHT + (len(PANELS) - 1) * GAP + BOTTOM
    root = Xml.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        width=str(WIDTH),
        height=str(height),
        style=FONT,
    )
    Xml.SubElement(root, "rect", width="100%", height="100%", fill="white")
    _text(root, LEFT, 24, f"{bench.engine}: live streams on one machine", size=16)
    _text(root, LEFT, 43, bench.machine, colour=GREY)
    _text(root, LEFT, 61, bench.note or _verdict(bench), colour=BAD if bench.note else GREY)
    across = _Axis([float(level.streams) for level in bench.levels], LEFT, WIDTH - RIGHT)
    top = TOP
    for panel in PANELS:
        _draw_panel(root, panel, bench, across, top)
        top += PANEL_HEIGHT + GAP
    _text(root, (LEFT + WIDTH - RIGHT) / 2, height - 12, "live streams", anchor="middle")
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _verdict(bench: Bench) -> str:
    return f"{bench.capacity} streams without an underrun"


class _Axis:
    """From values to places; it begins at 0 and ends at a round number."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.step = _round_step(max(values, default=0.0) or 1.0)
        self.top = self.step * math.ceil((max(values, default=0.0) or 1.0) / self.step)
        self._start = start
        self._end = end

    def place(self, value: float) -> float:
        return self._start + (self._end - self._start) * value / self.top

    def ticks(self) -> list[float]:
        return [self.step * i for i in range(round(self.top / self.step) + 1)]


def _round_step(largest: float) -> float:
    """1, 2 or 5 times a power of ten, of which about `N_TICKS` fit."""
    power = 10.0 ** math.floor(math.log10(largest / N_TICKS))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step * N_TICKS >= largest)


def _draw_panel(root: Xml.Element, panel: Panel, bench: Bench, across: _Axis, top: float) -> None:
    curves = [_points(line, bench.levels) for line in panel.lines]
    up = _Axis([y for curve in curves for _, y in curve], top + PANEL_HEIGHT, top)
    for tick in up.ticks():
        y = up.place(tick)
        _line(root, LEFT, y, WIDTH - RIGHT, y, "#e4e4e4")
        _text(root, LEFT - 8, y + 4, f"{tick:g}", anchor="end", colour=GREY)
    for tick in across.ticks():
        x = across.place(tick)
        _line(root, x, top + PANEL_HEIGHT, x, top + PANEL_HEIGHT + 4, GREY)
        _text(root, x, top + PANEL_HEIGHT + 17, f"{tick:g}", anchor="middle", colour=GREY)
    if bench.capacity:
        x = across.place(bench.capacity)
        _line(root, x, top, x, top + PANEL_HEIGHT, GREY, dash="4 3")
        _text(root, x - 5, top + 12, f"{bench.capacity}", anchor="end", colour=GREY)
    _text(root, LEFT, top - 7, panel.title)
    legend = WIDTH - RIGHT
    for line, curve in reversed(list(zip(panel.lines, curves, strict=True))):
        _text(root, legend, top - 7, line.label, anchor="end", colour=line.colour)
        legend -= 10 + 7 * len(line.label)
        _draw_curve(root, curve, line.colour, across, up)


def _points(line: Line, levels: Sequence[Level]) -> list[tuple[float, float]]:
    """Of the tries of a level the better one, which decided."""
    best: dict[int, Level] = {}
    for level in levels:
        if level.streams not in best or level.underruns < best[level.streams].underruns:
            best[level.streams] = level
    found = [(float(n), line.value(level)) for n, level in sorted(best.items())]
    return [(n, value) for n, value in found if value is not None]


def _draw_curve(
    root: Xml.Element, curve: Sequence[tuple[float, float]], colour: str, across: _Axis, up: _Axis
) -> None:
    places = [(across.place(x), up.place(y)) for x, y in curve]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    Xml.SubElement(
        root, "polyline", {"points": points, "fill": "none", "stroke": colour, "stroke-width": "2"}
    )
    for x, y in places:
        Xml.SubElement(root, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3", fill=colour)


def _line(
    root: Xml.Element, x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "none"
) -> None:
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    Xml.SubElement(root, "line", {**ends, "stroke": colour, "stroke-dasharray": dash})


def _text(
    root: Xml.Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: str = "#222222",
    size: int = 12,
) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "fill": colour}
    Xml.SubElement(root, "text", place | {"style": f"font-size: {size}px"}).text = text
