"""What `ttsops golden check` says of recordings that `ttsops golden record` made."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.output import warn
from ttsops.observe import logs
from ttsops.ops.recorded import EngineCheck, check_recording
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.ops.random_weights import RandomWeights


@dataclass(frozen=True, slots=True)
class Checked:
    """All that was checked."""

    facts: list[dict[str, Any]]
    is_ok: bool


def check_recordings(
    folders: Sequence[Path],
    *,
    config: Path | None,
    engines: Sequence[str],
    random_weights: RandomWeights | None,
    shows_lines: bool,
) -> Checked:
    """Speak each again and compare; with `shows_lines` told as it is done. Raises as `check_recording`."""
    settings = load_settings(config, os.environ, {"log.level": "warning"})
    logs.configure(settings.log.level, settings.log.format)

    def on_engine(check: EngineCheck) -> None:
        if check.note:
            warn(f"{check.engine}: {check.note}")
        if shows_lines:
            click.echo("\n".join(_lines(check)))

    checks = [
        check
        for folder in folders
        for check in asyncio.run(
            check_recording(
                settings, folder, engines=engines, random_weights=random_weights or "", on_engine=on_engine
            )
        )
    ]
    return Checked([facts_of(check) for check in checks], all(check.is_ok for check in checks))


def _lines(check: EngineCheck) -> Iterator[str]:
    yield f"{check.folder}: {check.engine}, {_verdict(check)}"
    for change in dict.fromkeys(change for take in check.takes for change in take.changed):
        yield f"  CHANGED {change}"
    for take in check.takes:
        if take.failure:
            yield f"  FAILED {take.take}: {take.failure}"
        for one in take.measures:
            mark, sign = ("ok ", "<=") if one.ok else ("FAR", "> ")
            yield f"  {mark} {take.take} {one.name} {one.value:.3g} {sign} {one.tolerance:g}"


def _verdict(check: EngineCheck) -> str:
    n_ok = sum(take.is_ok for take in check.takes)
    if any(take.changed for take in check.takes):
        return "its parameters are not those of the recording"
    return f"{n_ok} of {len(check.takes)} takes as recorded ({check.rule})"


def facts_of(check: EngineCheck) -> dict[str, Any]:
    """For JSON."""
    return {
        "folder": str(check.folder),
        "engine": check.engine,
        "ok": check.is_ok,
        "rule": check.rule,
        "note": check.note,
        "takes": [
            {
                "take": take.take,
                "control_hash": take.control_hash,
                "ok": take.is_ok,
                "changed": list(take.changed),
                "failure": take.failure,
                "measures": [
                    {
                        "name": one.name,
                        "value": one.value if math.isfinite(one.value) else None,
                        "tolerance": one.tolerance,
                        "ok": one.ok,
                    }
                    for one in take.measures
                ],
            }
            for take in check.takes
        ],
    }
