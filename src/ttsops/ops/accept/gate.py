"""What a gate is: a question with one answer, and a sentence that says why."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ttsops.errors import TtsOpsError

Outcome = Literal["passed", "failed", "skipped", "not_run"]
"""`skipped`: it cannot be asked here; `not_run`: one before it failed."""


class Skipped(Exception):
    """The gate cannot be asked here; the message says why."""


class Failed(Exception):
    """The answer is no; the message says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A yes, with what was found."""

    detail: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateResult:
    """What became of one gate."""

    gate: str
    outcome: Outcome
    detail: str
    """A sentence without a full stop: what was found, or why not."""

    seconds: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured."""


Gate = Callable[[], Finding]
"""Raises `Failed` or `Skipped`."""


def run_gate(name: str, gate: Gate) -> GateResult:
    """Ask; whatever else goes wrong is a failure of the gate."""
    started_at = time.monotonic()

    def result(outcome: Outcome, detail: str, figures: Mapping[str, float] | None = None) -> GateResult:
        return GateResult(name, outcome, detail, time.monotonic() - started_at, figures or {})

    try:
        found = gate()
    except Skipped as skipped:
        return result("skipped", str(skipped))
    except Failed as failed:
        return result("failed", str(failed))
    except TtsOpsError as error:
        return result("failed", error.message)
    except Exception as error:  # what is asked may break in any way; the others are still told of
        return result("failed", f"{type(error).__name__}: {error}")
    return result("passed", found.detail, found.figures)


def refuse(problems: list[str]) -> None:
    """Raises `Failed` if there are any."""
    if problems:
        raise Failed("; ".join(problems))
