"""One thing that was looked at, and what to do if it is not well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Word = Literal["ok", "unknown", "warning", "bad"]
SEVERITY: tuple[Word, ...] = ("ok", "unknown", "warning", "bad")


@dataclass(frozen=True, slots=True)
class Check:
    """`bad`: no speech can be expected. `warning`: somebody should look. `unknown`: it cannot be told."""

    name: str
    word: Word
    told: str
    """A line for people."""

    hint: str = ""
    """What to do next; empty where there is nothing to do."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs."""


def worst(checks: Iterable[Check]) -> Word:
    """The most severe of their words; `ok` if there are none."""
    return max((one.word for one in checks), key=SEVERITY.index, default="ok")
