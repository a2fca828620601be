"""Runs for tests, as the history holds them."""

from typing import Any

import msgspec

from ttsops.ops.monitor import Figures, Run, Subject, Verdict

SUBJECT = Subject(
    version="0.1.0",
    revision="0123456789ab",
    machine="2 x Machine",
    machine_id="m",
    engine="tone",
    device="cpu",
    dtype="fp32",
    setup_hash="s",
)
FIGURES = Figures(
    takes=9,
    audio_seconds=40.0,
    rtf_mean=0.11,
    rtf_max=0.2,
    rtf_deviation=0.05,
    rtf_best=0.1,
    ttfb=0.02,
    ttfa=0.03,
    load_seconds=1.0,
    worker_bytes=2**26,
    cpu_share=0.0,
    pace_seconds=0.01,
)


def figures(**changes: Any) -> Figures:
    return msgspec.structs.replace(FIGURES, **changes)


def run(
    *,
    word: Any = "ok",
    engine: str = "tone",
    setup_hash: str = "s",
    is_new_baseline: bool = False,
    **changes: Any,
) -> Run:
    return Run(
        time="2026-01-01T02:30:00Z",
        subject=msgspec.structs.replace(SUBJECT, engine=engine, setup_hash=setup_hash),
        figures=figures(**changes),
        verdict=Verdict(word=word),
        is_new_baseline=is_new_baseline,
    )
