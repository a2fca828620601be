"""What was measured of quality, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ttsops.ops.quality.ratings import Summary
from ttsops.ops.quality.report import Report, Row
from ttsops.ops.quality.scores import Score

SWEEP_COLUMNS = (
    "setting",
    "takes",
    "RTF",
    "of a take",
    "NMSE",
    "most",
    "loudness LU",
    "length s",
    "MOS",
    "P.808",
    "WER",
    "dropouts",
)
MEANINGS = (
    "RTF: synthesis seconds / audio seconds. NMSE, loudness, length: against the reference, as means of the "
    "takes.",
    "MOS, P.808: opinions as DNSMOS predicts them. WER: of a weak recogniser. Neither replaces listening.",
)


def render_sweep(report: Report) -> RenderableType:
    """Everything, top to bottom."""
    table = _table(SWEEP_COLUMNS)
    for row in report.rows:
        table.add_row(*_sweep_cells(row))
    return _page(_sweep_head(report), table, _sweep_tail(report))


def _sweep_head(report: Report) -> Iterator[str]:
    yield f"{report.engine}, voice {report.voice}, on {report.machine}"
    if report.note:
        yield report.note


def _sweep_cells(row: Row) -> Iterator[str]:
    yield f"{row.setting} *" if row.is_reference else row.setting
    yield f"{row.takes}" + (f", {row.failed} failed" if row.failed else "")
    yield _number(row.rtf, ".3g")
    yield "" if row.rtf_min is None else f"{row.rtf_min:.3g} to {row.rtf_max:.3g}"
    yield _number(row.nmse, ".3f")
    yield _number(row.nmse_max, ".3f")
    yield _number(row.loudness_db, "+.1f")
    yield _number(row.seconds, "+.2f")
    yield _number(row.mos, ".2f")
    yield _number(row.mos_p808, ".2f")
    yield _number(row.wer, ".0%")
    yield str(row.dropouts or "")


def _sweep_tail(report: Report) -> Iterator[str]:
    yield f"* the reference, {report.reference}"
    if report.seed_nmse is not None:
        yield f"two seeds of the reference are {report.seed_nmse:.3f} apart (NMSE)"
    if not report.is_deterministic:
        yield f"`{report.engine}` never speaks twice alike: part of every distance is that"
    n_other = sum(row.other_length for row in report.rows)
    if n_other:
        yield (
            f"{n_other} takes are longer or shorter than the reference: the common part was compared, in "
            "which words may be shifted"
        )
    n_clipped = sum(row.clipped for row in report.rows)
    if n_clipped:
        yield f"{n_clipped} takes have clipped samples"
    yield from report.left_out
    yield ""
    yield from MEANINGS


def render_scores(scores: Sequence[tuple[str, Score]]) -> RenderableType:
    """A row for each file, and what is wrong with it below."""
    table = _table(("file", "s", "MOS", "signal", "background", "P.808", "WER", "dropouts", "pause s"))
    texts = []
    for name, one in scores:
        table.add_row(name, *_score_cells(one))
        texts += [f"{name}: {problem}" for problem in one.sound.problems]
    return _page([], table, [*texts, *([""] if texts else []), MEANINGS[1]])


def _score_cells(score: Score) -> Iterator[str]:
    mos, sound = score.mos, score.sound
    yield f"{sound.seconds:.2f}"
    yield _number(mos.overall if mos else None, ".2f")
    yield _number(mos.signal if mos else None, ".2f")
    yield _number(mos.background if mos else None, ".2f")
    yield _number(mos.p808 if mos else None, ".2f")
    yield _number(score.words.wer if score.words else None, ".0%")
    yield str(sound.dropouts)
    yield f"{sound.longest_pause_seconds:.2f}"


def render_ratings(summary: Summary) -> RenderableType:
    """Opinions for each setting, then who was preferred."""
    table = _table(("setting", "ratings", "MOS", "95 % interval"))
    for one in summary.opinions:
        interval = "" if one.low is None else f"{one.low:.2f} to {one.high:.2f}"
        table.add_row(one.setting, str(one.n), f"{one.mean:.2f}", interval)
    duels = _table(("one", "preferred", "no difference", "preferred", "other", "p"))
    for duel in summary.duels:
        duels.add_row(
            duel.one, str(duel.n_one), str(duel.n_none), str(duel.n_other), duel.other, _number(duel.p, ".3f")
        )
    head = [f"{summary.n_ratings} pairs rated by {summary.n_listeners} listeners", *summary.notes]
    graded: list[RenderableType] = [Text(), table] if summary.opinions else []
    tail = [
        "95 % interval: Student's t over all ratings of a setting, as if each were another listener's.",
        "p: two-sided sign test of the preferences, no difference left out; not corrected for how many pairs "
        "of settings there are.",
    ]
    if not graded:
        del tail[0]
    return Group(Text("\n".join(head)), *graded, Text(), duels, Text(), Text("\n".join(tail)))


def _page(head: Iterator[str] | Sequence[str], table: Table, tail: Iterator[str] | Sequence[str]) -> Group:
    above = Text("\n".join(head))
    return Group(*([above, Text()] if above.plain else []), table, Text(), Text("\n".join(tail)))


def _table(columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
