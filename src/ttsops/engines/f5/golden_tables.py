"""Recorded tables: rules of text, time and silence, row by row. All but times must be equal."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from ttsops.engines.f5.checkpoint import VOCAB_FILE
from ttsops.engines.f5.chunks import max_chunk_bytes, split_chunks
from ttsops.engines.f5.durations import reference_duration, with_blank
from ttsops.engines.f5.recordings import Recording, Row, read_wav, rows_of
from ttsops.engines.f5.schedule import PRUNED, Schedule
from ttsops.engines.f5.tokens import Vocabulary, segment, tokenize
from ttsops.engines.nn.comparison import Comparison, compare
from ttsops.voices.silence import trim_reference

TIME_TOLERANCE = 1e-7
SAMPLE_RATE, HOP = 24_000, 256


def compare_tables(recording: Recording) -> Iterator[Comparison]:
    """Every table of the folder."""
    for kind, table in recording.tables.items():
        yield from _KINDS[kind](recording, rows_of(table))


def compare_column(
    name: str, rows: Sequence[Row], compute: Callable[[Row], object], column: str = ""
) -> Comparison:
    """How many rows have another value than `compute` gives; the first of them is named."""
    column = column or name
    wrong = [i for i, row in enumerate(rows) if column in row and compute(row) != row[column]]
    return Comparison(f"{name} (row {wrong[0]})" if wrong else name, len(wrong), 0)


def _tokens(recording: Recording, rows: Sequence[Row]) -> Iterator[Comparison]:
    vocabulary = Vocabulary.read(recording.folder / VOCAB_FILE)

    def ids(row: Row) -> list[int]:
        return vocabulary.ids(tokenize(row["text"]))

    def unknown(row: Row) -> list[str]:
        return sorted({token for token in tokenize(row["text"]) if token not in vocabulary})

    yield compare_column("segments", rows, lambda row: segment(row["text"]))
    yield compare_column("tokens", rows, lambda row: tokenize(row["text"]))
    yield compare_column("ids", rows, ids)
    yield compare_column("unknown", rows, unknown)
    yield compare_column("utf8_bytes", rows, lambda row: len(row["text"].encode()))


def _chunks(recording: Recording, rows: Sequence[Row]) -> Iterator[Comparison]:
    yield compare_column("chunks", rows, lambda row: split_chunks(row["text"], row["max_chars"]))


def _durations(recording: Recording, rows: Sequence[Row]) -> Iterator[Comparison]:
    """The text rules, and how long the wave will be: nothing is spoken."""
    fade = float(recording.tables["durations"].get("cross_fade_duration", 0.15))

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

    yield compare_column("cond_samples", rows, samples)
    yield compare_column("ref_audio_len", rows, lambda row: samples(row) // HOP)
    yield compare_column("max_chars", rows, most_bytes)
    yield compare_column("n_chunks", rows, lambda row: len(texts(row)))
    yield compare_column("chunk_durations", rows, frames)
    yield compare_column(
        "first_tokens", rows, lambda row: "".join(tokens(row, texts(row)[0]))[: len(row["first_tokens"])]
    )
    yield compare_column("out_samples", rows, heard)


def _timesteps(recording: Recording, rows: Sequence[Row]) -> Iterator[Comparison]:
    yield compare_column("uses_epss_table", rows, lambda row: row["steps"] in PRUNED)
    for column in ("grid_before_sway", "t"):
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


def _preprocess(recording: Recording, rows: Sequence[Row]) -> Iterator[Comparison]:
    """Recordings whose file is there, before and after; of the others only facts were kept."""
    for row in rows:
        heard = recording.folder / f"{row['case']}.in.wav"
        if not heard.exists():
            continue
        pcm, rate = trim_reference(*read_wav(heard))
        is_equal = (
            rate == row["sr"] and hashlib.sha256(pcm.astype("<i2").tobytes()).hexdigest() == row["out_sha256"]
        )
        yield Comparison(f"{row['case']} (sha256)", 0.0 if is_equal else math.inf, 0)
        recorded = heard.with_name(f"{row['case']}.out.wav")
        if recorded.exists():
            expected, _ = read_wav(recorded)
            yield compare(
                row["case"],
                torch.from_numpy(pcm.astype(np.int32)),
                torch.from_numpy(expected.astype(np.int32)),
                0,
            )


_KINDS: dict[str, Callable[[Recording, Sequence[Row]], Iterator[Comparison]]] = {
    "tokens": _tokens,
    "chunks": _chunks,
    "durations": _durations,
    "timesteps": _timesteps,
    "preprocess": _preprocess,
}
