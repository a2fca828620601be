"""All checks on one engine, and a report that says what passed, what failed and what was not promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ttsops.engines.contract import Engine
from ttsops.testing import checks
from ttsops.testing.outcome import CheckFailed, NotApplicable

CHECKS: tuple[Callable[[Engine], None], ...] = (
    checks.check_card,
    checks.check_speaks,
    checks.check_unknown_voice,
    checks.check_speaks_as_each_alias,
    checks.check_speed,
    checks.check_marks,
    checks.check_close,
    checks.check_abandoned,
    checks.check_done_is_final,
    checks.check_odd_texts,
    checks.check_repeats,
    checks.check_batched_equals_single,
    checks.check_pieces_equal_whole,
    checks.check_waits_for_text,
)


@dataclass(frozen=True, slots=True)
class Result:
    """One check on one engine."""

    name: str
    outcome: Literal["passed", "failed", "not applicable"]
    detail: str = ""
    """Why it failed, or why the card does not promise it."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every check on one engine."""

    engine: str
    results: tuple[Result, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """What the engine must repair."""
        return tuple(one for one in self.results if one.outcome == "failed")

    @property
    def is_passed(self) -> bool:
        """No check failed."""
        return not self.failures

    def __str__(self) -> str:
        lines = [f"engine `{self.engine}`: {len(self.failures)} of {len(self.results)} checks failed"]
        lines += [f"{one.outcome:14} {one.name} {one.detail}".rstrip() for one in self.results]
        return "\n".join(lines)


def check_engine(create: Callable[[], Engine]) -> Report:
    """Load one engine, put it through every check on this thread, and shut it down."""
    engine = create()
    try:
        engine.warm_up()
        return Report(engine.card.name, tuple(_run(check, engine) for check in CHECKS))
    finally:
        engine.shutdown()


def _run(check: Callable[[Engine], None], engine: Engine) -> Result:
    name = check.__name__.removeprefix("check_")
    try:
        check(engine)
    except NotApplicable as e:
        return Result(name, "not applicable", str(e))
    except CheckFailed as e:
        return Result(name, "failed", str(e))
    except Exception as e:  # whatever it raised, it was not to
        return Result(name, "failed", f"{type(e).__name__}: {e}")
    return Result(name, "passed")
