"""From the takes of a sweep to its figures: each take against the reference, then a row for each setting."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from ttsops.audio import decode_audio, write_atomically
from ttsops.observe.figures import rtf
from ttsops.ops.quality.distances import Distance, compare
from ttsops.ops.quality.manifest import Manifest, Take
from ttsops.ops.quality.scores import KeptScores, Score, Scorer, what_is_missing
from ttsops.ops.quality.words import is_english
from ttsops.speech import OptionValue

FILE = "report.json"
KIND = "ttsops quality report"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One take."""

    setting: str
    text: str
    seed: int
    file: str
    rtf: float | None
    """Synthesis seconds / audio seconds."""

    score: Score
    distance: Distance | None
    """None if the reference take failed."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. What could not be measured is None."""

    setting: str
    options: dict[str, OptionValue]
    is_reference: bool
    takes: int
    failed: int
    audio_seconds: float
    rtf: float | None
    """Of all takes together."""

    rtf_min: float | None
    rtf_max: float | None
    nmse: float | None
    """Mean distance of the log-mel spectrograms from the reference's takes."""

    nmse_max: float | None
    loudness_db: float | None
    """Mean of louder (+) or softer (-) than the reference's takes, LU."""

    seconds: float | None
    """Mean of longer (+) or shorter (-)."""

    other_length: int
    """Takes whose length is not that of the reference's: only the common part was compared."""

    mos: float | None
    """Mean of the predicted overall opinion."""

    mos_p808: float | None
    wer: float | None
    """Of all words together."""

    dropouts: int
    clipped: int
    """Takes with clipped samples."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A measured sweep."""

    kind: str = KIND
    engine: str
    note: str
    """What must be said with every figure; empty if it speaks as published."""

    machine: str
    voice: str
    reference: str
    is_deterministic: bool
    seed_nmse: float | None
    """How far two seeds of the reference are apart: a yardstick for every distance. None with one seed."""

    left_out: tuple[str, ...]
    """What was not measured, and why: a sentence each."""

    failures: tuple[str, ...]
    """Takes that failed, a sentence each."""

    rows: tuple[Row, ...]
    takes: tuple[Measured, ...]


def measure_sweep(
    manifest: Manifest,
    folder: Path,
    *,
    with_scores: bool = True,
    on_take: Callable[[int, int], None] = lambda done, total: None,
    on_load: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure every take in `folder`. Scores are left out, with a sentence, where the extra is missing."""
    absent = what_is_missing() if with_scores else {"mos": "", "words": ""}
    judges = {"with_mos": "mos" not in absent, "with_words": "words" not in absent}
    scores = KeptScores(folder, Scorer(**judges, on_load=on_load), **judges)
    made = [take for take in manifest.takes if take.file]
    measured = []
    for number, take in enumerate(made, 1):
        on_take(number - 1, len(made))
        measured.append(_measure(manifest, folder, take, scores))
    on_take(len(made), len(made))
    subject = manifest.subject
    return Report(
        engine=subject.engine,
        note=subject.note,
        machine=subject.machine,
        voice=manifest.voice,
        reference=manifest.reference,
        is_deterministic=subject.is_deterministic,
        seed_nmse=_seed_nmse(manifest, folder),
        left_out=tuple(_left_out(manifest, absent, with_scores=with_scores)),
        failures=tuple(
            f"{take.setting}, text {take.text}, seed {take.seed}: {take.error}"
            for take in manifest.takes
            if take.error
        ),
        rows=tuple(_row(manifest, setting.name, measured) for setting in manifest.settings),
        takes=tuple(measured),
    )


def write_report(folder: Path, report: Report) -> None:
    """`report.json`, atomically."""
    write_atomically(folder / FILE, msgspec.json.format(msgspec.json.encode(report), indent=1))


def _measure(manifest: Manifest, folder: Path, take: Take, scores: KeptScores) -> Measured:
    text = manifest.text(take.text).spoken
    reference = _take(manifest, manifest.reference, take.text, take.seed)
    distance = None
    if reference is not None and take.setting != manifest.reference:
        distance = compare(decode_audio(folder / take.file)[0], decode_audio(folder / reference.file)[0])
    return Measured(
        setting=take.setting,
        text=take.text,
        seed=take.seed,
        file=take.file,
        rtf=rtf(take.synthesis_seconds, take.audio_seconds),
        score=scores.score(folder / take.file, text, manifest.language),
        distance=distance,
    )


def _take(manifest: Manifest, setting: str, text: str, seed: int) -> Take | None:
    found = (one for one in manifest.takes if one.key == (setting, text, seed) and one.file)
    return next(found, None)


def _seed_nmse(manifest: Manifest, folder: Path) -> float | None:
    """Mean over every two seeds of each text at the reference."""
    found = []
    for text in manifest.texts:
        takes = [_take(manifest, manifest.reference, text.id, seed) for seed in manifest.seeds]
        sounds = [decode_audio(folder / take.file)[0] for take in takes if take is not None]
        found += [compare(one, other).nmse for one, other in itertools.combinations(sounds, 2)]
    return _mean(found)


def _left_out(manifest: Manifest, absent: dict[str, str], *, with_scores: bool) -> Iterable[str]:
    if not with_scores:
        yield "no scores: they were not asked for"
    else:
        yield from absent.values()
        if "words" not in absent and not is_english(manifest.language):
            yield f"no words heard: the recogniser knows English, not `{manifest.language}`"
    if len(manifest.seeds) < 2:
        yield "no distance between seeds: there is one seed"


def _row(manifest: Manifest, name: str, measured: Sequence[Measured]) -> Row:
    mine = [one for one in measured if one.setting == name]
    takes = [one for one in manifest.takes if one.setting == name]
    made = [one for one in takes if one.file]
    factors = [one.rtf for one in mine if one.rtf is not None]
    distances = [one.distance for one in mine if one.distance is not None]
    errors = [one.nmse for one in distances if one.nmse is not None]
    heard = [one.score.words for one in mine if one.score.words is not None]
    mos = [one.score.mos for one in mine if one.score.mos is not None]
    audio_seconds = sum(one.audio_seconds for one in made)
    return Row(
        setting=name,
        options=manifest.setting(name).options,
        is_reference=name == manifest.reference,
        takes=len(made),
        failed=len(takes) - len(made),
        audio_seconds=audio_seconds,
        rtf=rtf(sum(one.synthesis_seconds for one in made), audio_seconds),
        rtf_min=min(factors, default=None),
        rtf_max=max(factors, default=None),
        nmse=_mean(errors),
        nmse_max=max(errors, default=None),
        loudness_db=_mean(one.loudness_db for one in distances),
        seconds=_mean(one.seconds for one in distances),
        other_length=sum(not one.is_same_length for one in distances),
        mos=_mean(one.overall for one in mos),
        mos_p808=_mean(one.p808 for one in mos),
        wer=sum(one.errors for one in heard) / sum(one.said for one in heard) if heard else None,
        dropouts=sum(one.score.sound.dropouts for one in mine),
        clipped=sum(one.score.sound.clipped_samples > 0 for one in mine),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
