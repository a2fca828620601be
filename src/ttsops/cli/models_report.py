"""What `ttsops models` says of models, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ttsops.models.cache import HubCache, Snapshot
    from ttsops.models.catalogue import Catalogue, Entry
    from ttsops.models.verify import Problem, Report

GIB = 2**30


def size_text(n_bytes: int) -> str:
    """`1.9 GiB`, `6.7 MiB`, `461 B`."""
    for unit, factor in (("GiB", GIB), ("MiB", 2**20), ("KiB", 2**10)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{n_bytes} B"


def state_of(snapshot: Snapshot | None) -> str:
    """In a word or two; checksums are not looked at."""
    if snapshot is None:
        return "not here"
    if snapshot.missing():
        return "incomplete"
    return "here" if snapshot.is_as_catalogued else "here, another revision"


def list_lines(found: Catalogue, cache: HubCache) -> Iterator[str]:
    """A table of all."""
    yield f"{'model':<26}{'also':<36}{'state':<24}{'size':>10}  licence"
    for entry in found:
        snapshot = cache.find(entry)
        n_bytes = snapshot.n_bytes if snapshot else entry.n_bytes
        size = size_text(n_bytes) if n_bytes is not None else "?"
        also = ", ".join(entry.aliases)
        yield f"{entry.name:<26}{also:<36}{state_of(snapshot):<24}{size:>10}  {entry.licence or 'not said'}"


def entry_facts(entry: Entry, snapshot: Snapshot | None) -> dict[str, Any]:
    """One model, for JSON."""
    return {
        "name": entry.name,
        "aliases": entry.aliases,
        "engine": entry.engine or None,
        "sources": [{"repo": source.repo, "revision": source.revision} for source in entry.sources],
        "path": entry.path or None,
        "licence": entry.licence or None,
        "parameters": entry.parameters or None,
        "dtypes": dict(entry.dtypes),
        "memory_bytes": _memory(entry),
        "parts": dict(entry.parts),
        "files": [{"path": f.path, "bytes": f.n_bytes, "sha256": f.sha256} for f in entry.files],
        "state": state_of(snapshot),
        "folder": str(snapshot.engine_folder) if snapshot else None,
        "revision_here": (snapshot.source.revision or None) if snapshot else None,
        "bytes_here": snapshot.n_bytes if snapshot else None,
    }


def entry_lines(entry: Entry, snapshot: Snapshot | None) -> Iterator[str]:
    """One model, for people."""
    also = ", ".join(entry.aliases)
    yield f"{entry.name} ({also})" if also else entry.name
    yield f"  licence   {entry.licence or 'not said'}"
    for i, source in enumerate(entry.sources):
        yield f"  {'from' if i == 0 else 'or from':<9} {source.repo} at {source.revision}"
    if entry.path:
        yield f"  folder    {entry.path}"
    if entry.engine:
        yield f"  engine    {entry.engine}"
    for option, part in entry.parts.items():
        yield f"  {option:<9} {part}"
    for device, n_bytes in _memory(entry).items():
        yield f"  on {device:<6} {entry.dtypes[device]}: the weights take {size_text(n_bytes)}"
    yield f"  state     {state_of(snapshot)}"
    if snapshot:
        yield f"  here      {snapshot.engine_folder}"
    for file in entry.files:
        size = size_text(file.n_bytes) if file.n_bytes is not None else "size not known"
        yield f"  {file.path}  {size}  {file.sha256 or 'checksum not known'}"


def report_lines(reports: Sequence[Report], absent: Sequence[Entry], folder: Path) -> Iterator[str]:
    """What a look at models found."""
    if not reports and not absent:
        yield f"there are no models in `{folder}`; `ttsops models pull NAME` fetches one"
    for report in reports:
        n_bytes = sum(file.n_bytes for file in report.files)
        facts = f"{len(report.files)} files, {size_text(n_bytes)}, {report.n_compared} checksums compared"
        name = report.snapshot.entry.name
        if report.is_whole:
            yield f"{name}: whole ({facts})"
            continue
        yield f"{name}: {len(report.problems)} wrong ({facts})"
        for problem in report.problems:
            yield f"  {problem.file}: {problem.what}"
        yield f"  next: {_next(report)}"
    for entry in absent:
        yield f"{entry.name}: not here\n  next: `ttsops models pull {entry.name}`"


def report_facts(reports: Sequence[Report], absent: Sequence[Entry]) -> list[dict[str, Any]]:
    """What a look at models found, for JSON."""
    looked_at = [
        {
            "name": report.snapshot.entry.name,
            "repo": report.snapshot.source.repo or None,
            "revision": report.snapshot.source.revision or None,
            "folder": str(report.snapshot.folder),
            "is_whole": report.is_whole,
            "files": len(report.files),
            "bytes": sum(file.n_bytes for file in report.files),
            "compared": report.n_compared,
            "problems": [_problem_facts(problem) for problem in report.problems],
            "next": None if report.is_whole else _next(report),
        }
        for report in reports
    ]
    missing = [
        {
            "name": entry.name,
            "is_whole": False,
            "problems": [{"file": None, "kind": "absent", "what": "is not here"}],
            "next": f"`ttsops models pull {entry.name}`",
        }
        for entry in absent
    ]
    return [*looked_at, *missing]


def _problem_facts(problem: Problem) -> dict[str, str]:
    return {"file": problem.file, "kind": problem.kind, "what": problem.what}


def _next(report: Report) -> str:
    entry = report.snapshot.entry
    if entry.path:
        return f"put the right files into `{entry.path}`"
    return f"`ttsops models pull {entry.name} --repair`, or `ttsops models sync` from a machine that has it"


def _memory(entry: Entry) -> dict[str, int]:
    from ttsops.models.policy import BYTES

    return {
        device: entry.parameters * BYTES[dtype] for device, dtype in entry.dtypes.items() if entry.parameters
    }
