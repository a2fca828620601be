"""`ttsops golden`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.comparison_lines import comparison_facts, comparison_lines
from ttsops.cli.output import EndWith, Exit, complain, print_json, say
from ttsops.cli.verb import HELP, verb

if TYPE_CHECKING:
    from ttsops.engines.nn.comparison import Comparison
    from ttsops.ops.golden import CaseResult


@click.group(context_settings=HELP)
def golden() -> None:
    """Compare engines with recordings of their reference implementations."""


@verb("check", examples=("ttsops golden check tests/golden", "ttsops golden check CASE ANOTHER --json"))
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False)
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(folders: tuple[Path, ...], as_json: bool) -> None:
    """Run recorded cases through the engines' own code.

    DIR is a case, or holds cases. One line for each recorded tensor: the largest difference of any element,
    and what is tolerated. A tensor that is missing or has another shape is `absent`, and null in JSON.

    Exit code 0 if all are within tolerance, 1 if one is not, 2 for a folder that is no case, 3 if what an
    engine needs is not installed.
    """
    from ttsops.ops.golden import check_case, find_cases

    cases = dict.fromkeys(case for folder in folders for case in find_cases(folder))
    results: list[CaseResult] = []
    for case in cases:
        result = check_case(case)
        results.append(result)
        if not as_json:
            click.echo("\n".join(_lines(result)))
    if as_json:
        print_json([_facts(result) for result in results])
    say(_summary(results))
    for result in results:
        if result.failure:
            complain(click.ClickException(result.failure))
    if not all(result.is_case for result in results):
        raise EndWith(Exit.USAGE)
    if not all(result.is_ok for result in results):
        raise EndWith(Exit.FAILED)


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
