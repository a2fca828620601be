"""How it has gone of late: the figures of `GET /health`.

The long view is in the metrics. This is for a person, or a probe, who asks one server one question.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ttsops.observe.outcomes import Outcome

WINDOW_SECONDS = 300.0
MAX_UTTERANCES = 1000


@dataclass(frozen=True, slots=True)
class Figures:
    """Median and 95th percentile of what was measured; None where nothing was."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Recent:
    """The last five minutes, or the last thousand utterances if those are fewer."""

    window_seconds: float
    utterances: int
    """Ended, however they ended."""
    success_rate: float | None
    """Spoken to the end / (spoken to the end + failed by our fault). None if there were none."""
    rtf: Figures
    first_chunk_seconds: Figures
    """Accepted → first audio handed to the socket."""


@dataclass(frozen=True, slots=True)
class _Ended:
    at: float
    outcome: Outcome
    rtf: float | None
    first_chunk_seconds: float | None


class RecentPerformance:
    """Remembers how utterances ended, for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended: deque[_Ended] = deque(maxlen=MAX_UTTERANCES)

    def add(self, outcome: Outcome, *, rtf: float | None, first_chunk_seconds: float | None) -> None:
        """An utterance ended."""
        self._ended.append(_Ended(self._clock(), outcome, rtf, first_chunk_seconds))

    def summary(self) -> Recent:
        """What the window holds now."""
        oldest = self._clock() - WINDOW_SECONDS
        while self._ended and self._ended[0].at < oldest:
            self._ended.popleft()
        n_ok = sum(one.outcome == "ok" for one in self._ended)
        n_failed = sum(one.outcome == "failed" for one in self._ended)
        return Recent(
            window_seconds=WINDOW_SECONDS,
            utterances=len(self._ended),
            success_rate=n_ok / (n_ok + n_failed) if n_ok + n_failed else None,
            rtf=_figures([one.rtf for one in self._ended]),
            first_chunk_seconds=_figures([one.first_chunk_seconds for one in self._ended]),
        )


def _figures(values: Sequence[float | None]) -> Figures:
    known = sorted(value for value in values if value is not None)
    if not known:
        return Figures(None, None)
    return Figures(_percentile(known, 0.5), _percentile(known, 0.95))


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that at least `share` of them do not exceed."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 6)
