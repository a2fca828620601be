"""Line charts as SVG: panels under each other that share the axis across.

Written with the standard library: a few line charts do not need a plotting package, which would be larger
than everything else that is installed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from xml.etree import ElementTree as Xml

WIDTH, PANEL_HEIGHT, GAP = 720, 150, 44
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 96, 48
SOLID, LIGHT, BAD, GREY = "#1f5fa8", "#8fb6de", "#c0392b", "#777777"
FONT = "font-family: system-ui, sans-serif; font-size: 12px"
N_TICKS = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line(Generic[T]):
    """One curve of a panel, over things of one kind."""

    label: str
    colour: str
    value: Callable[[T], float | None]
    """None where there is no point."""


@dataclass(frozen=True, slots=True)
class Panel(Generic[T]):
    """One chart."""

    title: str
    lines: tuple[Line[T], ...]


class Axis:
    """From values to places; it begins at 0 and ends at a round number."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.step = _round_step(max(values, default=0.0) or 1.0)
        self.top = self.step * math.ceil((max(values, default=0.0) or 1.0) / self.step)
        self._start = start
        self._end = end

    def place(self, value: float) -> float:
        """Where `value` is, in pixels."""
        return self._start + (self._end - self._start) * value / self.top

    def ticks(self) -> list[float]:
        """The round numbers from 0 to the end."""
        return [self.step * i for i in range(round(self.top / self.step) + 1)]


def _round_step(largest: float) -> float:
    """1, 2 or 5 times a power of ten, of which about `N_TICKS` fit."""
    power = 10.0 ** math.floor(math.log10(largest / N_TICKS))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step * N_TICKS >= largest)


@dataclass(frozen=True, slots=True)
class Frame:
    """A panel that has been begun: its axes, and where it is, in pixels."""

    across: Axis
    up: Axis
    top: float
    bottom: float


class Picture:
    """A title, a line on the machine and one that is grey or an alarm; panels; what the axis across shows."""

    def __init__(self, n_panels: int, title: str, machine: str, line: str, *, is_alarm: bool) -> None:
        self.height = TOP + n_panels * PANEL_HEIGHT + max(0, n_panels - 1) * GAP + BOTTOM
        self.root = Xml.Element(
            "svg",
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH} {self.height}",
            width=str(WIDTH),
            height=str(self.height),
            style=FONT,
            role="img",
        )
        Xml.SubElement(self.root, "title").text = title
        Xml.SubElement(self.root, "rect", width="100%", height="100%", fill="white")
        self.text(LEFT, 24, title, size=16)
        self.text(LEFT, 43, machine, colour=GREY)
        self.text(LEFT, 61, line, colour=BAD if is_alarm else GREY)
        self._n_drawn = 0

    def panel(self, title: str, across: Axis, values: Sequence[float]) -> Frame:
        """The frame of the next panel, whose axis upwards holds `values`."""
        top = TOP + self._n_drawn * (PANEL_HEIGHT + GAP)
        self._n_drawn += 1
        bottom = top + PANEL_HEIGHT
        up = Axis(values, bottom, top)
        for tick in up.ticks():
            y = up.place(tick)
            self.line(LEFT, y, WIDTH - RIGHT, y, "#e4e4e4")
            self.text(LEFT - 8, y + 4, f"{tick:g}", anchor="end", colour=GREY)
        for tick in across.ticks():
            x = across.place(tick)
            self.line(x, bottom, x, bottom + 4, GREY)
            self.text(x, bottom + 17, f"{tick:g}", anchor="middle", colour=GREY)
        self.text(LEFT, top - 7, title)
        return Frame(across, up, top, bottom)

    def curve(self, frame: Frame, curve: Sequence[tuple[float, float]], colour: str) -> None:
        """A line through the points, and a dot at each."""
        places = [(frame.across.place(x), frame.up.place(y)) for x, y in curve]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        Xml.SubElement(
            self.root, "polyline", {"points": points, "fill": "none", "stroke": colour, "stroke-width": "2"}
        )
        for x, y in places:
            Xml.SubElement(self.root, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3", fill=colour)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "none") -> None:
        """A straight line, in pixels."""
        ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
        Xml.SubElement(self.root, "line", {**ends, "stroke": colour, "stroke-dasharray": dash})

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        colour: str = "#222222",
        size: int = 12,
    ) -> None:
        """Words, in pixels from the top left."""
        place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "fill": colour}
        Xml.SubElement(self.root, "text", place | {"style": f"font-size: {size}px"}).text = text

    def finish(self, across: str) -> bytes:
        """The file; `across` names the shared axis."""
        self.text((LEFT + WIDTH - RIGHT) / 2, self.height - 12, across, anchor="middle")
        Xml.indent(self.root)
        return bytes(Xml.tostring(self.root, encoding="utf-8", xml_declaration=True))


def axis_across(values: Sequence[float]) -> Axis:
    """The shared axis from left to right."""
    return Axis(values, LEFT, WIDTH - RIGHT)
