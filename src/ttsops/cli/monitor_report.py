"""Runs of the monitor for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from ttsops.ops.monitor import Figures, Run

COLUMNS = (
    "time", "revision", "engine", "set-up", "RTF best", "mean", "max", "dev", "TTFA ms", "MiB", "faults",
    "MOS", "WER", "slower", "verdict",
)  # fmt: skip
N_LEFT = 4
"""Columns of words; the others are figures."""


def lines(run: Run) -> Iterator[str]:
    """One run."""
    subject, figures, verdict = run.subject, run.figures, run.verdict
    yield f"{subject.engine} on {subject.machine} (device {subject.device}, {subject.dtype})"
    yield f"revision {subject.revision or subject.version}, set-up {subject.setup_hash}"
    if subject.note:
        yield subject.note
    yield f"{figures.takes} utterances, {figures.audio_seconds:.1f} s of audio"
    yield (
        f"RTF: fastest repeats {_number(figures.rtf_best)}, mean {_number(figures.rtf_mean)}, highest "
        f"{_number(figures.rtf_max)}, deviation {_percent(figures.rtf_deviation)}"
    )
    yield f"first audio {_ms(figures.ttfb)} ms, first audible {_ms(figures.ttfa)} ms (medians)"
    yield f"loaded in {_number(figures.load_seconds)} s, memory of the worker {_mib(figures)} MiB"
    yield f"sound: {_sound(figures)}"
    if verdict.slowdown is not None:
        faster = "slower" if verdict.slowdown >= 0 else "faster"
        yield (
            f"{abs(verdict.slowdown):.1%} {faster} than the median of {verdict.compared_runs} runs; the "
            f"machine: {verdict.machine_slowdown or 0.0:+.1%}"
        )
    yield from verdict.notes
    rounds = f" after {verdict.rounds} rounds" if verdict.rounds > 1 else ""
    yield f"verdict: {verdict.word}{rounds}"


def table(runs: Sequence[Run]) -> Table:
    """A row for each."""
    found = Table(box=None, pad_edge=False)
    for place, name in enumerate(COLUMNS):
        is_word = place < N_LEFT or place == len(COLUMNS) - 1
        found.add_column(name, justify="left" if is_word else "right", no_wrap=True)
    for run in runs:
        found.add_row(*_cells(run))
    return found


def _cells(run: Run) -> Iterator[str]:
    figures = run.figures
    yield run.time
    yield run.subject.revision or run.subject.version
    yield run.subject.engine
    yield run.subject.setup_hash
    yield _number(figures.rtf_best)
    yield _number(figures.rtf_mean)
    yield _number(figures.rtf_max)
    yield _percent(figures.rtf_deviation)
    yield _ms(figures.ttfa)
    yield _mib(figures)
    yield str(len(figures.sound_problems) or "")
    yield "" if figures.mos is None else f"{figures.mos:.2f}"
    yield "" if figures.wer is None else f"{figures.wer:.0%}"
    yield "" if run.verdict.slowdown is None else f"{run.verdict.slowdown:+.1%}"
    yield run.verdict.word + (" (new baseline)" if run.is_new_baseline else "")


def _sound(figures: Figures) -> str:
    told = [f"{len(figures.sound_problems)} faults" if figures.sound_problems else "no fault"]
    if figures.mos is not None:
        told.append(f"predicted opinion {figures.mos:.2f} of 5")
    if figures.wer is not None:
        told.append(f"word error rate of a recogniser {figures.wer:.0%}")
    return ", ".join(told)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{1000 * value:.3g}"


def _mib(figures: Figures) -> str:
    return "-" if figures.worker_bytes is None else f"{figures.worker_bytes / 2**20:.0f}"
