"""The trend of the runs that can be compared, as SVG, or as PNG with the extra `plots`."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ttsops.errors import InvalidValue, NotInstalled
from ttsops.ops.monitor.record import Run
from ttsops.ops.svg import BAD, GREY, LIGHT, RIGHT, SOLID, WIDTH, Axis, Line, Panel, Picture, axis_across

INSTALL = "pip install 'tts-ops[plots]'"


PANELS: tuple[Panel[Run], ...] = (
    Panel(
        "RTF (synthesis seconds / audio seconds)",
        (
            Line("fastest repeats", SOLID, lambda run: run.figures.rtf_best),
            Line("mean", LIGHT, lambda run: run.figures.rtf_mean),
        ),
    ),
    Panel(
        "time to first audible sample, ms",
        (Line("median", SOLID, lambda run: _scaled(run.figures.ttfa, 1000)),),
    ),
    Panel(
        "memory of the worker, MiB",
        (Line("highest", SOLID, lambda run: _scaled(run.figures.worker_bytes, 2**-20)),),
    ),
    Panel("faults in the audio", (Line("all texts", BAD, lambda run: len(run.figures.sound_problems)),)),
)


def plot_svg(runs: Sequence[Run]) -> bytes:
    """The picture; a dashed line for each regression. Raises `InvalidValue` if there is no run."""
    last = _last(runs)
    picture = Picture(
        len(PANELS), _title(last), last.subject.machine, _said(runs), is_alarm=bool(last.subject.note)
    )
    across = axis_across([float(len(runs))])
    for panel in PANELS:
        _draw_panel(picture, panel, runs, across)
    return picture.finish("run")


def plot_png(runs: Sequence[Run]) -> bytes:
    """The same with matplotlib. Raises `NotInstalled` without the extra, else as `plot_svg`."""
    last = _last(runs)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise NotInstalled(
            "a PNG needs the package `matplotlib`, which is not installed",
            hint=f"{INSTALL}, or give a file whose name ends with `.svg`",
        ) from error
    figure = Figure(figsize=(9, 2.2 * len(PANELS) + 1), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{_title(last)}\n{last.subject.machine}\n{_said(runs)}", fontsize=9)
    for axes, panel in zip(figure.subplots(len(PANELS), 1, sharex=True), PANELS, strict=True):
        for line in panel.lines:
            curve = _points(line, runs)
            axes.plot([x for x, _ in curve], [y for _, y in curve], "o-", color=line.colour, label=line.label)
        for number in _regressions(runs):
            axes.axvline(number, color=BAD, linestyle="--")
        axes.set_title(panel.title, fontsize=9, loc="left")
        axes.set_ylim(0, 1.15 * max(axes.get_ylim()[1], 1e-9))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=8, loc="lower right")
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=100)
    return target.getvalue()


def _draw_panel(picture: Picture, panel: Panel[Run], runs: Sequence[Run], across: Axis) -> None:
    curves = [_points(line, runs) for line in panel.lines]
    frame = picture.panel(panel.title, across, [y for curve in curves for _, y in curve])
    for number in _regressions(runs):
        x = across.place(number)
        picture.line(x, frame.top, x, frame.bottom, BAD, dash="4 3")
    legend = WIDTH - RIGHT
    for line, curve in reversed(list(zip(panel.lines, curves, strict=True))):
        picture.text(legend, frame.top - 7, line.label, anchor="end", colour=line.colour or GREY)
        legend -= 10 + 7 * len(line.label)
        picture.curve(frame, curve, line.colour)


def _points(line: Line[Run], runs: Sequence[Run]) -> list[tuple[float, float]]:
    found = [(float(number), line.value(run)) for number, run in enumerate(runs, 1)]
    return [(number, value) for number, value in found if value is not None]


def _regressions(runs: Sequence[Run]) -> list[int]:
    return [number for number, run in enumerate(runs, 1) if run.verdict.word == "regression"]


def _last(runs: Sequence[Run]) -> Run:
    if not runs:
        raise InvalidValue("there is no run to draw", hint="`ttsops monitor run` makes one")
    return runs[-1]


def _title(last: Run) -> str:
    subject = last.subject
    return f"{subject.engine}: {subject.device}, {subject.dtype}, set-up {subject.setup_hash}"


def _said(runs: Sequence[Run]) -> str:
    days = f"{runs[0].time[:10]} to {runs[-1].time[:10]}"
    told = f"{len(runs)} runs, {days}, {len(_regressions(runs))} regressions"
    note = runs[-1].subject.note
    return f"{note}; {told}" if note else told


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
