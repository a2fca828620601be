"""How near today's speech must be to what was recorded, and whether it is.

| rule | when | what is compared |
| --- | --- | --- |
| `exact` | computed the same way everywhere, or the same library here | every sample |
| `close` | a network on the same machine, packages and device | the largest difference of any sample |
| `alike` | another machine, or an engine that never says it twice the same way | spectrum, level, length |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ttsops.engines.contract import EngineCard
from ttsops.ops.quality.distances import log_mel
from ttsops.ops.recorded.manifest import Recording, Take, facts_of, samples_hash
from ttsops.speech import Samples

Rule = Literal["exact", "close", "alike"]

MAX_DIFFERENCE = 1e-3
"""Of full scale, of any sample: float arithmetic in another order, and the 16 bits of the file."""

MAX_SPECTRUM_DB = 1.5
MAX_LEVEL_DB = 3.0
MAX_LENGTH_SHARE = 0.1
"""What two machines may differ by. Measured with espeak: the same again in one process 0.02 dB of spectrum,
a pitch of 1.1 1.05 dB, of 1.2 1.68 dB, a woman's voice for a man's 7.6 dB; another seed of F5-TTS with small
random weights 0.4 dB."""

_PORTABLE = ("tone",)
"""Engines that compute the same samples on every machine."""

_SEQUENTIAL = ("espeak",)
"""Engines of which a fresh process says the same again, as long as the library is the same."""

_OURS = ("tts-ops", "python")
"""Versions that must not loosen the rule: a new one of them is what is being checked."""

SMALLEST = 2.0**-24
"""A difference that 16 bits do not show is told as this."""

DB_PER_NEPER = 20 / np.log(10)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a take against the recording, and what is tolerated."""

    name: str
    value: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Near enough; not if it is no number."""
        return self.value <= self.tolerance


def rule_for(card: EngineCard, then: Recording, now: Recording) -> Rule:
    """`now` is this machine; of it the takes are not looked at."""
    is_same_build = then.architecture == now.architecture and _others(then) == _others(now)
    if card.name in _PORTABLE or (card.name in _SEQUENTIAL and is_same_build):
        return "exact"
    is_here = then.machine == now.machine and then.device == now.device
    return "close" if card.deterministic and is_same_build and is_here else "alike"


def compare_take(rule: Rule, take: Take, recorded: Samples, samples: Samples) -> tuple[Measure, ...]:
    """Samples [N] of now against the recorded ones [M] (of 16 bits), both at 24 kHz."""
    if rule == "alike":
        return _alike(take, recorded, samples)
    if rule == "exact" and samples_hash(samples) == take.samples_sha256:
        return (Measure("samples", 0.0, 0.0),)
    is_as_long = len(samples) == len(recorded)
    difference = float(np.abs(samples - recorded).max(initial=0.0)) if is_as_long else float("inf")
    if rule == "exact":
        return (Measure("samples", max(difference, SMALLEST), 0.0),)
    return (Measure("samples", difference, MAX_DIFFERENCE),)


def _alike(take: Take, recorded: Samples, samples: Samples) -> tuple[Measure, ...]:
    if not len(samples):
        return (Measure("length", 1.0, MAX_LENGTH_SHARE),)
    facts = facts_of(samples)
    length = abs(facts.seconds / take.facts.seconds - 1)
    return (
        Measure("length", length, MAX_LENGTH_SHARE),
        Measure("level_db", abs(facts.rms_dbfs - take.facts.rms_dbfs), MAX_LEVEL_DB),
        Measure("spectrum_db", spectrum_distance(samples, recorded), MAX_SPECTRUM_DB),
    )


def spectrum_distance(samples: Samples, recorded: Samples) -> float:
    """Root mean square, over 100 mel bands, of the difference of two long-term spectra, in dB.

    Each spectrum is the mean magnitude of its frames, less its own level: words that are said a little later
    do not count, another voice, another pitch or a dull sound does.
    """
    ours, theirs = _long_term(samples), _long_term(recorded)
    return float(np.sqrt(np.mean(np.square(ours - theirs))))


def _long_term(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    decibels = DB_PER_NEPER * np.log(np.exp(log_mel(samples)).mean(axis=0))
    return np.asarray(decibels - decibels.mean())


def _others(recording: Recording) -> dict[str, str]:
    return {name: version for name, version in recording.versions.items() if name not in _OURS}
