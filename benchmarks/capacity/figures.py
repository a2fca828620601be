"""What a run came to: of simulated requests and of real ones, so that they can be laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.capacity.simulate import Heard
from ttsops.ops.loadtest import Listening
from ttsops.ops.loadtest.report import TOO_MANY_REQUESTS, percentile


@dataclass(frozen=True)
class Figures:
    """Shares are 0 to 1, of all requests; times are seconds, of those that were answered."""

    requests: int
    refused_share: float
    """429."""

    first_audio_p50: float
    first_audio_p95: float
    underrun_share: float
    """Listeners who ran dry."""


def of_simulated(heard: Sequence[Heard]) -> Figures:
    """Of a simulation."""
    return _figures(
        refused=[one.is_refused for one in heard],
        first_audio=[one.first_audio_seconds for one in heard if one.first_audio_seconds is not None],
        dry=[one.underruns > 0 for one in heard],
    )


def of_real(listenings: Sequence[Listening]) -> Figures:
    """Of real listeners. Raises `ValueError` if one met anything but a 429: then the run says nothing."""
    for one in listenings:
        if one.error and one.status != TOO_MANY_REQUESTS:
            raise ValueError(f"a listener met `{one.error}` (status {one.status})")
    return _figures(
        refused=[bool(one.error) for one in listenings],
        first_audio=[one.ttfb_seconds for one in listenings if one.ttfb_seconds is not None],
        dry=[one.underruns > 0 for one in listenings],
    )


def _figures(*, refused: list[bool], first_audio: list[float], dry: list[bool]) -> Figures:
    ordered = sorted(first_audio)
    n = len(refused)
    return Figures(
        requests=n,
        refused_share=sum(refused) / n if n else 0.0,
        first_audio_p50=percentile(ordered, 50) if ordered else 0.0,
        first_audio_p95=percentile(ordered, 95) if ordered else 0.0,
        underrun_share=sum(dry) / n if n else 0.0,
    )
