"""`ttsops golden`: recordings of the reference implementations, and of our own engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.comparison_lines import comparison_facts, comparison_lines
from ttsops.cli.golden_record import random_weights_option, record
from ttsops.cli.output import EndWith, Exit, complain, print_json, say
from ttsops.cli.verb import HELP, config_option, verb

if TYPE_CHECKING:
    from ttsops.engines.nn.comparison import Comparison
    from ttsops.ops.golden import CaseResult


@click.group(context_settings=HELP)
def golden() -> None:
    """Hold engines to recordings: of their reference implementations, and of themselves."""


@verb(
    "check",
    examples=(
        "ttsops golden check tests/golden",
        "ttsops golden check CASE ANOTHER --json",
        "ttsops golden check /var/lib/ttsops/golden --config prod.toml",
    ),
)
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False)
)
@config_option
@click.option("--engine", "engines", multiple=True, help="Only this engine of a recording; may be repeated.")
@random_weights_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(folders: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """Compare what engines do now with what was recorded.

    DIR is what `ttsops golden record` made: every parameter that shapes the sound must be as it was, and the
    sound as near as its engine can be. Or DIR is a case of a reference implementation, or holds cases: one
    line for each recorded tensor, the largest difference of any element, and what is tolerated. A tensor that
    is missing or has another shape is `absent`, and null in JSON.

    Exit code 0 if all are within tolerance, 1 if one is not or a parameter was changed, 2 for a folder that
    is no recording and no case, 3 if what an engine needs is not installed.
    """
    from ttsops.ops.recorded import is_recording

    recordings = [folder for folder in dict.fromkeys(folders) if is_recording(folder)]
    others = [folder for folder in folders if folder not in recordings]
    facts: list[dict[str, Any]] = []
    has_failed = False
    if recordings:
        from ttsops.cli.golden_recorded import check_recordings

        checked = check_recordings(recordings, shows_lines=not as_json, **given)
        facts += checked.facts
        has_failed = not checked.is_ok
    results = _check_cases(others, shows_lines=not as_json) if others else []
    if as_json:
        print_json([*facts, *(_facts(result) for result in results)])
    if others:
        say(_summary(results))
    for result in results:
        if result.failure:
            complain(click.ClickException(result.failure))
    if not all(result.is_case for result in results):
        raise EndWith(Exit.USAGE)
    if has_failed or not all(result.is_ok for result in results):
        raise EndWith(Exit.FAILED)


def _check_cases(folders: Sequence[Path], *, shows_lines: bool) -> list[CaseResult]:
    from ttsops.ops.golden import check_case, find_cases

    results: list[CaseResult] = []
    for case in dict.fromkeys(case for folder in folders for case in find_cases(folder)):
        result = check_case(case)
        results.append(result)
        if shows_lines:
            click.echo("\n".join(_lines(result)))
    return results


golden.add_command(record)
golden.add_command(check)


def _lines(result: CaseResult) -> Iterator[str]:
    yield f"{result.folder}: {_verdict(result)}"
    yield from comparison_lines(result.comparisons)


def _verdict(result: CaseResult) -> str:
    if not result.is_case:
        return "no case"
    if result.failure:
        return f"{result.engine}, could not be run"
    n = len(result.comparisons)
    if result.far:
        return f"{result.engine}, {len(result.far)} of {n} too far: {', '.join(_names(result.far))}"
    return f"{result.engine}, {n} within tolerance"


def _names(comparisons: Sequence[Comparison]) -> list[str]:
    return [one.name for one in comparisons]


def _summary(results: Sequence[CaseResult]) -> str:
    n_ok = sum(result.is_ok for result in results)
    n_tensors = sum(len(result.comparisons) for result in results)
    seconds = sum(result.seconds for result in results)
    return f"{n_ok} of {len(results)} cases within tolerance, {n_tensors} tensors in {seconds:.1f} s"


def _facts(result: CaseResult) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "engine": result.engine,
        "is_case": result.is_case,
        "ok": result.is_ok,
        "failure": result.failure,
        "seconds": result.seconds,
        "tensors": [comparison_facts(one) for one in result.comparisons],
    }
