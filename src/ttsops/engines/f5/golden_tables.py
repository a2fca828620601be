"""Recorded tables: rules of text, time and silence, row by row. All but times must be equal."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from ttsops.engines.f5.checkpoint import VOCAB_FILE
from ttsops.engines.f5.chunks import max_chunk_bytes, split_chunks
from ttsops.engines.f5.durations import reference_duration, with_blank
from ttsops.engines.f5.recordings import Recording, Row, Table, read_wav, rows_of
from ttsops.engines.f5.schedule import PRUNED, Schedule
from ttsops.engines.f5.tokens import Vocabulary, segment, tokenize
from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.voices.reference import normal_transcript
from ttsops.voices.silence import trim_reference

TIME_TOLERANCE = 1e-7
SAMPLE_RATE, HOP = 24_000, 256


def compare_tables(recording: Recording) -> Iterator[Comparison]:
    """Every table of the folder."""
    for kind, table in recording.tables:
        yield from _KINDS[kind](recording.folder, table)


def compare_column(name: str, rows: Sequence[Row], compute: Callable[[Row], object]) -> Iterator[Comparison]:
    """How many rows have another value than `compute` gives; the first of them is named.

    Nothing if no row has such a column.
    """
    recorded = [(i, row) for i, row in enumerate(rows) if name in row]
    wrong = [i for i, row in recorded if compute(row) != row[name]]
    if recorded:
        yield Comparison(f"{name} (row {wrong[0]})" if wrong else name, len(wrong), 0)


def _tokens(folder: Path, table: Table) -> Iterator[Comparison]:
    rows = rows_of(table)
    vocabulary = Vocabulary.read(folder / VOCAB_FILE)

    def ids(row: Row) -> list[int]:
        return vocabulary.ids(tokenize(row["text"]))

    def unknown(row: Row) -> list[str]:
        return sorted({token for token in tokenize(row["text"]) if token not in vocabulary})

    yield from compare_column("segments", rows, lambda row: segment(row["text"]))
    yield from compare_column("tokens", rows, lambda row: tokenize(row["text"]))
    yield from compare_column("ids", rows, ids)
    yield from compare_column("unknown", rows, unknown)
    if "vocab_size" in table:
        yield Comparison("vocab_size", abs(len(vocabulary) - table["vocab_size"]), 0)
    yield from compare_column("utf8_bytes", rows, lambda row: len(row["text"].encode()))


def _chunks(folder: Path, table: Table) -> Iterator[Comparison]:
    rows = rows_of(table)
    yield from compare_column("chunks", rows, lambda row: split_chunks(row["text"], row["max_chars"]))


def _durations(folder: Path, table: Table) -> Iterator[Comparison]:
    """The text rules, and how long the wave will be: nothing is spoken."""
    rows = rows_of(table)
    fade = float(table.get("cross_fade_duration", 0.15))

    def most_bytes(row: Row) -> int:
        return max_chunk_bytes(row["ref_text"], row["ref_samples"] / row["ref_sr"], float(row["speed"]))

    def texts(row: Row) -> list[str]:
        return split_chunks(row["gen_text"], most_bytes(row))

    def samples(row: Row) -> int:
        return math.ceil(int(row["ref_samples"]) * SAMPLE_RATE / int(row["ref_sr"]))

    def frames(row: Row) -> list[int]:
        return reference_duration(
            texts(row),
            row["ref_text"],
            samples(row),
            speed=row["speed"],
            fix_duration=row["fix_duration"],
            cross_fade_duration=fade,
        )

    def tokens(row: Row, text: str) -> list[str]:
        return tokenize(with_blank(row["ref_text"]) + text)

    def heard(row: Row) -> int:
        """Samples of the joined wave."""
        n_ref, total = samples(row) // HOP + 1, 0
        for n_frames in frames(row):
            length = max(0, n_frames - n_ref) * HOP  # recorded without the sampler's own bounds
            total += length - min(int(fade * SAMPLE_RATE), length, total)
        return total

    yield from compare_column("cond_samples", rows, samples)
    yield from compare_column("ref_audio_len", rows, lambda row: samples(row) // HOP)
    yield from compare_column("max_chars", rows, most_bytes)
    yield from compare_column("n_chunks", rows, lambda row: len(texts(row)))
    yield from compare_column("chunk_durations", rows, frames)
    yield from compare_column(
        "first_tokens", rows, lambda row: "".join(tokens(row, texts(row)[0]))[: len(row["first_tokens"])]
    )
    yield from compare_column("out_samples", rows, heard)


def _timesteps(folder: Path, table: Table) -> Iterator[Comparison]:
    rows = rows_of(table)
    yield from compare_column("uses_epss_table", rows, lambda row: row["steps"] in PRUNED)
    for column in ("grid_before_sway", "t"):
        if not any(column in row for row in rows):
            continue
        farthest = Comparison(column, 0.0, TIME_TOLERANCE)
        for i, row in enumerate(rows):
            if column in row:
                schedule = Schedule(row["steps"], 0.0 if row["sway"] is None else row["sway"])
                made = schedule.times() if column == "t" else schedule.grid()
                one = compare(
                    f"{column} (row {i})",
                    made,
                    torch.tensor(row[column], dtype=torch.float64),
                    TIME_TOLERANCE,
                )
                farthest = max(farthest, one, key=lambda comparison: comparison.max_abs_diff)
        yield farthest


def _preprocess(folder: Path, table: Table) -> Iterator[Comparison]:
    """Recordings whose file is there, before and after, and how transcripts end.

    Of the other recordings only facts were kept. Transcripts with blanks at their ends are left out: here
    those are taken off first.
    """
    rows = rows_of(table)
    endings = [
        {"text": text, "ref_text_rule": written}
        for text, written in table.get("ref_text_rule", ())
        if text == text.strip()
    ]
    yield from compare_column("ref_text_rule", endings, lambda row: normal_transcript(row["text"]))
    for row in rows:
        heard = folder / f"{Path(row['case']).name}.in.wav"
        if not heard.exists():
            continue
        pcm, rate = trim_reference(*read_wav(heard))
        is_equal = (
            rate == row["sr"] and hashlib.sha256(pcm.astype("<i2").tobytes()).hexdigest() == row["out_sha256"]
        )
        yield Comparison(f"{row['case']} (sha256)", 0.0 if is_equal else math.inf, 0)
        recorded = folder / heard.name.replace(".in.", ".out.")
        if recorded.exists():
            expected, _ = read_wav(recorded)
            yield compare(
                row["case"],
                torch.from_numpy(pcm.astype(np.int32)),
                torch.from_numpy(expected.astype(np.int32)),
                0,
            )


_KINDS: dict[str, Callable[[Path, Table], Iterator[Comparison]]] = {
    "tokens": _tokens,
    "chunks": _chunks,
    "durations": _durations,
    "timesteps": _timesteps,
    "preprocess": _preprocess,
}
