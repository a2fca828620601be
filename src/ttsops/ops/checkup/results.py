"""What the last runs of the other checks said, where they left a file."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree as Xml

from ttsops.errors import TtsOpsError
from ttsops.ops.checkup.check import Check
from ttsops.ops.monitor.history import read_history
from ttsops.settings import Settings

ACCEPTANCE = "accept.xml"
"""Looked for beside the history of the monitor."""


def check_monitor(settings: Settings) -> Check:
    """The last run of the default engine in the history."""
    path = Path(settings.monitor.history)
    try:
        history = read_history(path)
    except TtsOpsError as error:
        return Check("monitor", "warning", error.message)
    runs = [run for run in history.runs if run.subject.engine == settings.engine]
    if not runs:
        told = f"`{settings.engine}` was never measured (no run in `{path}`)"
        return Check("monitor", "unknown", told, "`ttsops monitor run`")
    last = runs[-1]
    facts = {"time": last.time, "verdict": last.verdict.word, "rtf": last.figures.rtf_mean}
    if last.verdict.word == "regression":
        told = f"regression on {last.time}: {'; '.join(last.verdict.reasons)}"
        return Check("monitor", "warning", told, "`ttsops monitor history` shows since when", facts)
    if history.damaged:
        told = f"ok on {last.time}; {len(history.damaged)} lines of the history cannot be read"
        return Check("monitor", "warning", told, f"remove line {history.damaged[0]} of `{path}`", facts)
    rtf = f", RTF {last.figures.rtf_mean:.3g}" if last.figures.rtf_mean is not None else ""
    return Check("monitor", "ok", f"ok on {last.time}{rtf}", facts=facts)


def check_acceptance(folder: Path) -> Check | None:
    """The last acceptance, where it left `accept.xml` (JUnit); None if it did not."""
    path = folder / ACCEPTANCE
    if not path.is_file():
        return None
    try:
        cases = list(Xml.parse(path).iter("testcase"))
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(path.stat().st_mtime))
    except (OSError, Xml.ParseError) as error:
        return Check("acceptance", "warning", f"`{path}` cannot be read: {error}")
    failed = [
        one.get("name", "")
        for one in cases
        if one.find("failure") is not None or one.find("error") is not None
    ]
    skipped = sum(one.find("skipped") is not None for one in cases)
    facts = {"time": when, "gates": len(cases), "failed": failed, "skipped": skipped}
    if failed:
        return Check(
            "acceptance", "warning", f"{len(failed)} gates failed on {when}: {', '.join(failed)}", facts=facts
        )
    if not len(cases) - skipped:
        return Check("acceptance", "warning", f"no gate was passed on {when}", facts=facts)
    return Check(
        "acceptance", "ok", f"{len(cases) - skipped} gates passed on {when}, {skipped} skipped", facts=facts
    )
