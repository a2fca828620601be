"""By hand: one command, `ttsops`, one file per verb."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point: run the command with these arguments (the process's), and return its exit code."""
    from ttsops.cli.app import app
    from ttsops.cli.output import run

    words = list(sys.argv[1:] if arguments is None else arguments)
    return run(lambda: app.main(words, prog_name="ttsops", standalone_mode=False))
