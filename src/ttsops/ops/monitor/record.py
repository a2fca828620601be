"""What one run leaves behind: who was measured, the figures, and the verdict on them."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

FORMAT: Final = 1
"""Of a line of the history; a newer one is left out, not misread."""


class Subject(Struct, frozen=True, kw_only=True):
    """Who was measured, and on what."""

    version: str
    revision: str
    """Of git, with `+changed` if the checkout differs from it; empty outside a checkout."""

    machine: str
    """For people: cores, memory, graphics cards."""

    machine_id: str
    """The same for two runs on one kind of machine; no name of the host is in it."""

    engine: str
    device: str
    dtype: str
    note: str = ""
    """What must be said with every figure, such as that the weights are random."""

    setup_hash: str
    """Of all that shapes the speed: engine, its set-up, voice, suite."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Runs with the same key may be compared."""
        return (self.engine, self.machine_id, self.setup_hash)


class Figures(Struct, frozen=True, kw_only=True):
    """What was measured. Times are seconds, an RTF is synthesis seconds / audio seconds."""

    takes: int
    """Utterances spoken, failed ones included."""

    audio_seconds: float
    rtf_mean: float | None
    rtf_max: float | None
    rtf_deviation: float | None
    """Standard deviation of RTF / the median of its text: how far repeats of the same work lie apart."""

    rtf_best: float | None
    """Mean over the texts. Of each text every step counts as it took in the fastest repeat: what else a
    machine does adds time to some steps and takes it from none."""

    ttfb: float | None
    """Median of asked → first audio."""

    ttfa: float | None
    """Median of asked → first audible sample."""

    load_seconds: float | None
    worker_bytes: int | None
    """The most memory of the worker that was seen."""

    cpu_share: float | None
    """0 to 1: share of the synthesis time in which the worker computed on a CPU; the rest it waited."""

    pace_seconds: float
    """The fastest of the fixed works done in turns with the takes: what the machine's CPU could do."""

    errors: tuple[str, ...] = ()
    """One for each take that failed: its code."""

    sound_problems: tuple[str, ...] = ()
    mos: float | None = None
    """Mean of predicted opinions, 1 to 5; None where they were not predicted."""

    wer: float | None = None
    """Words a recogniser got wrong / words said; None where none listened."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What is to be said of the figures."""

    word: Literal["ok", "regression"]
    reasons: tuple[str, ...] = ()
    """A clause each; empty if it is ok."""

    notes: tuple[str, ...] = ()
    """What else is worth knowing: too little to compare with, a busy machine."""

    slowdown: float | None = None
    """Share by which it is slower than the median of earlier runs, a slower machine allowed for; below 0 it
    is faster. None if there was too little to compare with."""

    machine_slowdown: float | None = None
    """The same for the fixed work, which knows nothing of the engine."""

    compared_runs: int = 0
    rounds: int = 1
    """How often the suite was run: a suspicion is measured again."""


class Run(Struct, frozen=True, kw_only=True):
    """A line of the history."""

    format: int = FORMAT
    time: str
    """ISO 8601, UTC."""

    subject: Subject
    figures: Figures
    verdict: Verdict
    is_new_baseline: bool = False
    """Earlier runs are no longer compared with: somebody said that from here on this is the norm."""
