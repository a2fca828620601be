"""From takes to figures, the audio's own faults and scores included. Arithmetic, but for the scores."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ttsops.audio import Format, create_encoder
from ttsops.ops.monitor.measure import Take, Takes
from ttsops.ops.monitor.record import Figures
from ttsops.ops.monitor.suite import Suite
from ttsops.ops.quality.scores import Score, Scorer, what_is_missing
from ttsops.speech import Samples


def summarise(takes: Takes, scores: Sequence[Score]) -> Figures:
    """The figures of all rounds together."""
    good = [one for one in takes.takes if one.rtf is not None]
    rtfs = [one.rtf for one in good if one.rtf is not None]
    by_text = _by_text(good)
    synthesis = math.fsum(one.synthesis_seconds for one in good)
    said = sum(one.words.said for one in scores if one.words)
    wrong = sum(one.words.errors for one in scores if one.words)
    return Figures(
        takes=len(takes.takes),
        audio_seconds=math.fsum(one.audio_seconds for one in good),
        rtf_mean=statistics.fmean(rtfs) if rtfs else None,
        rtf_max=max(rtfs, default=None),
        rtf_deviation=_deviation(by_text),
        rtf_best=_mean(_best_rtf(one) for one in by_text.values()),
        ttfb=_median(one.ttfb for one in good),
        ttfa=_median(one.ttfa for one in good),
        load_seconds=takes.load_seconds,
        worker_bytes=takes.worker_bytes,
        cpu_share=_cpu_share(takes.cpu_seconds, synthesis),
        pace_seconds=min(takes.pace_seconds),
        errors=tuple(one.error for one in takes.takes if one.error),
        sound_problems=tuple(problem for one in scores for problem in one.sound.problems),
        mos=_mean(one.mos.overall for one in scores if one.mos),
        wer=wrong / said if said else None,
    )


def score_audio(
    takes: Takes, suite: Suite, *, with_predictions: bool, on_load: Callable[[str], None]
) -> list[Score]:
    """Of one take of each text: dropouts and the like always, opinions and words where they are installed."""
    missing = what_is_missing() if with_predictions else {"mos": "", "words": ""}
    scorer = Scorer(with_mos="mos" not in missing, with_words="words" not in missing, on_load=on_load)
    return [
        scorer.score(_wav(samples), suite.texts[index], takes.voice_language)
        for index, samples in sorted(takes.audio.items())
    ]


def _by_text(takes: Iterable[Take]) -> dict[int, list[Take]]:
    found: defaultdict[int, list[Take]] = defaultdict(list)
    for one in takes:
        found[one.text].append(one)
    return dict(found)


def _best_rtf(takes: Sequence[Take]) -> float:
    """Of good takes of one text, step by step where all of them took the same steps, else of the fastest."""
    n_steps = {len(one.steps) for one in takes}
    if len(n_steps) > 1 or 0 in n_steps:
        return min(one.synthesis_seconds / one.audio_seconds for one in takes)
    fastest = math.fsum(map(min, zip(*(one.steps for one in takes), strict=True)))
    return fastest / statistics.median(one.audio_seconds for one in takes)


def _deviation(by_text: dict[int, list[Take]]) -> float | None:
    relative = []
    for takes in by_text.values():
        rtfs = [one.synthesis_seconds / one.audio_seconds for one in takes]
        middle = statistics.median(rtfs)
        relative += [rtf / middle - 1 for rtf in rtfs] if middle else []
    return math.sqrt(statistics.fmean(one**2 for one in relative)) if len(relative) > len(by_text) else None


def _cpu_share(cpu_seconds: float | None, synthesis_seconds: float) -> float | None:
    if cpu_seconds is None or not synthesis_seconds:
        return None
    return min(1.0, cpu_seconds / synthesis_seconds)


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return statistics.fmean(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _wav(samples: Samples) -> bytes:
    with create_encoder(Format.WAV, total_samples=len(samples)) as encoder:
        return encoder.encode(samples) + encoder.finish()
