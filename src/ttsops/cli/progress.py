"""A line on stderr that moves, for work that takes long: only on a terminal, and only after a second.

Elsewhere `LogLines` writes one now and then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ttsops.cli.output import is_quiet, say

PATIENCE_SECONDS = 1.0
LINE_EVERY_SECONDS = 10.0


class LateProgress:
    """Tell it how far the work is; it decides whether that is shown. Gone when its block ends."""

    def __init__(self, total: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._shows_after = clock() + PATIENCE_SECONDS
        self._may_show = sys.stderr.isatty() and not is_quiet()
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def update(self, completed: float, text: str) -> None:
        """So much of `total` is done; `text` says what people want to know meanwhile."""
        if self._progress is None:
            if not self._may_show or self._clock() < self._shows_after:
                return
            self._progress = self._start()
        self._progress.update(self._task, completed=completed, text=text)

    def _start(self) -> Progress:
        bar = BarColumn() if self._total is not None else SpinnerColumn()
        progress = Progress(
            TextColumn("{task.fields[text]}"),
            bar,
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        progress.start()
        self._task = progress.add_task("", total=self._total, text="")
        return progress

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


class LogLines:
    """The same for who keeps stderr in a file: a line now and then, and none on a terminal."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at = clock() + LINE_EVERY_SECONDS
        self._may_show = not sys.stderr.isatty()

    def update(self, text: str) -> None:
        """What people want to know meanwhile."""
        if self._may_show and self._clock() >= self._next_at:
            say(text)
            self._next_at = self._clock() + LINE_EVERY_SECONDS


class ByteProgress(LateProgress):
    """Counts bytes; `add` may be handed to whoever reads or writes them."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self._n_bytes = 0

    def add(self, n_bytes: int) -> None:
        """So many more."""
        self._n_bytes += n_bytes
        self.update(self._n_bytes, f"{self._n_bytes / 2**20:.0f} MiB {self._what}")


def as_clock(seconds: float) -> str:
    """`1:05`, `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
