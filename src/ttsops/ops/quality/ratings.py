"""What listeners said: kept line by line, and summed up with what chance could have done.

A file of ratings is JSON Lines (what `--serve` appends to) or the JSON that a page offers for download: that
of `ttsops quality ab`, or the studio, which asks for a preference only.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ttsops.errors import AudioError, InvalidValue

Short = Annotated[str, Meta(max_length=200)]
Grade = Annotated[int, Meta(ge=1, le=5)]
"""1 bad, 2 poor, 3 fair, 4 good, 5 excellent: absolute category rating after ITU-T P.800."""


class Side(msgspec.Struct, frozen=True):
    """One of two recordings."""

    setting: Short
    rating: Grade | None = None
    """None where only a preference was asked for."""

    plays: Annotated[int, Meta(ge=0)] = 0


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """One pair, heard by one listener."""

    page: Short
    """Which page it was heard on: its hash."""

    session: Short
    """Which listener: drawn by the page."""

    pair: Short
    a: Side
    b: Side
    preferred: Literal["a", "b", "none"]
    listener: Short = ""
    """A name, if one was given."""

    text: Short = ""
    """Which text was said."""

    at: Short = ""
    """When, ISO 8601."""

    note: Short = ""
    """What must be said of the recordings."""


class _Download(msgspec.Struct, frozen=True):
    ratings: tuple[Rating, ...]


class Opinion(msgspec.Struct, frozen=True):
    """Of one setting."""

    setting: str
    n: int
    mean: float
    low: float | None
    """95 % confidence interval of the mean; None for a single rating."""
    high: float | None


class Duel(msgspec.Struct, frozen=True):
    """Two settings against each other."""

    one: str
    other: str
    n_one: int
    """Times `one` was preferred."""
    n_none: int
    n_other: int
    p: float | None
    """Two-sided sign test; None if nobody preferred either."""


class Summary(msgspec.Struct, frozen=True):
    """Of all ratings."""

    n_ratings: int
    n_listeners: int
    notes: tuple[str, ...]
    opinions: tuple[Opinion, ...]
    """Best first."""
    duels: tuple[Duel, ...]


def read_ratings(path: Path) -> list[Rating]:
    """Every rating of a file. Raises `InvalidValue` for a line that is none, with its number."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidValue(f"cannot read `{path}`: {error.strerror}") from error
    try:
        return list(msgspec.json.decode(data, type=_Download).ratings)
    except msgspec.MsgspecError:
        pass  # not a download: lines
    ratings = []
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                ratings.append(msgspec.json.decode(line, type=Rating))
            except msgspec.MsgspecError as error:
                raise InvalidValue(f"`{path}`, line {number} is no rating: {error}") from error
    return ratings


def append_rating(path: Path, rating: Rating) -> None:
    """One line more, or the file as it was. Raises `AudioError` if it cannot be written (disk full)."""
    line = msgspec.json.encode(rating) + b"\n"
    try:
        with path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                if file.write(line) != len(line):
                    raise OSError("the line was cut off")
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise AudioError(f"cannot write `{path}`: {error.strerror or error}") from error


def summarise(ratings: Iterable[Rating]) -> Summary:
    """Opinions and preferences. Of a pair that one listener rated again, the last counts."""
    last = {(one.page, one.session, one.pair): one for one in ratings}
    kept = list(last.values())
    grades: defaultdict[str, list[int]] = defaultdict(list)
    for one in kept:
        for side in (one.a, one.b):
            if side.rating is not None:
                grades[side.setting].append(side.rating)
    opinions = [_opinion(setting, values) for setting, values in grades.items()]
    return Summary(
        n_ratings=len(kept),
        n_listeners=len({one.session for one in kept}),
        notes=tuple(dict.fromkeys(one.note for one in kept if one.note)),
        opinions=tuple(sorted(opinions, key=lambda one: (-one.mean, one.setting))),
        duels=tuple(_duels(kept)),
    )


def sign_test(n_one: int, n_other: int) -> float | None:
    """Probability that a fair coin divides so many throws at least so unevenly; None for no throws."""
    n = n_one + n_other
    if not n:
        return None
    tail = sum(math.comb(n, k) for k in range(max(n_one, n_other), n + 1))
    return min(1.0, float(2 * tail / 2**n))


T_975 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % quantiles of Student's t for 1 to 30 degrees of freedom."""

T_975_BEYOND = ((1000, 1.962), (120, 1.980), (60, 2.000), (40, 2.021), (30, 2.042))
"""From so many degrees of freedom on. Between two, the larger is taken: the interval is never too narrow."""


def t_975(degrees: int) -> float:
    """Half-width of a 95 % interval in standard errors, for `degrees` >= 1."""
    if degrees <= len(T_975):
        return T_975[degrees - 1]
    return next(value for least, value in T_975_BEYOND if degrees >= least)


def _opinion(setting: str, grades: Sequence[int]) -> Opinion:
    mean = fmean(grades)
    if len(grades) < 2:
        return Opinion(setting, len(grades), mean, None, None)
    half = t_975(len(grades) - 1) * stdev(grades) / math.sqrt(len(grades))
    return Opinion(setting, len(grades), mean, mean - half, mean + half)


def _duels(ratings: Sequence[Rating]) -> list[Duel]:
    counts: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in ratings:
        first, second = sorted((one.a.setting, one.b.setting))
        if first != second:
            preferred = {"a": one.a.setting, "b": one.b.setting, "none": ""}[one.preferred]
            counts[first, second][preferred] += 1
    return [
        Duel(one, other, votes[one], votes[""], votes[other], sign_test(votes[one], votes[other]))
        for (one, other), votes in sorted(counts.items())
    ]
