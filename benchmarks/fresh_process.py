"""A set-up of a benchmark in a process of its own, so that its peak of memory is its own, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def run_json(command: list[str], **environment: str) -> dict[str, Any]:
    """The last line that a program prints; `not_run`, and why, if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        return {"not_run": last}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def keep_results(path: Path, figures: dict[str, Any]) -> None:
    """For the next reader of `benchmarks/results/`."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"Wrote {path}", file=sys.stderr)
