"""Speed against quality as SVG: one panel for each figure of quality, RTF across."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ttsops.ops.quality.report import Report, Row
from ttsops.ops.svg import GREY, SOLID, Axis, Picture, axis_across

LABEL_ABOVE, LABEL_BELOW = -8, 18
NEAR = 26
"""Pixels: labels of points nearer than this take turns above and below."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure of quality."""

    title: str
    value: Callable[[Row], float | None]


PANELS = (
    Panel("distance from the reference, log-mel NMSE (lower is nearer)", lambda row: _distance(row)),
    Panel("predicted opinion, DNSMOS overall (1 to 5)", lambda row: row.mos),
    Panel("word error rate of a recogniser (lower is better)", lambda row: row.wer),
)


def plot_svg(report: Report) -> bytes:
    """The whole picture: a point for each setting. What must be said of the weights is said in it."""
    panels = [one for one in PANELS if one is PANELS[0] or _points(one, report.rows)]
    line = report.note or f"reference: {report.reference}"
    picture = Picture(
        len(panels),
        f"{report.engine}: speed against quality",
        report.machine,
        line,
        is_alarm=bool(report.note),
    )
    across = axis_across([row.rtf for row in report.rows if row.rtf is not None])
    for panel in panels:
        _draw(picture, panel, report.rows, across)
    return picture.finish("RTF: synthesis seconds / audio seconds (further left is faster)")


def _draw(picture: Picture, panel: Panel, rows: Sequence[Row], across: Axis) -> None:
    points = sorted(_points(panel, rows))
    frame = picture.panel(panel.title, across, [y for _, y, _ in points])
    picture.curve(frame, [(x, y) for x, y, _ in points], SOLID)
    last_x, is_below = -1000.0, False
    for x, y, name in points:
        place = across.place(x)
        is_high = frame.up.place(y) - frame.top < LABEL_BELOW  # above it is the title
        is_below = is_high or (place - last_x < NEAR and not is_below)
        last_x = place
        shift = LABEL_BELOW if is_below else LABEL_ABOVE
        picture.text(place, frame.up.place(y) + shift, name, anchor="middle", colour=GREY)


def _points(panel: Panel, rows: Sequence[Row]) -> list[tuple[float, float, str]]:
    values = [(row.rtf, panel.value(row), _label(row)) for row in rows]
    return [(x, y, name) for x, y, name in values if x is not None and y is not None]


def _label(row: Row) -> str:
    """The value alone where one option is swept: `7`, not `nfe-7`."""
    return row.setting.partition("-")[2] if len(row.options) == 1 else row.setting


def _distance(row: Row) -> float | None:
    return 0.0 if row.is_reference else row.nmse
