"""The last lines of the log, for whoever looks at the page instead of at the machine.

Lines never hold what is spoken: what is kept here is what was written.
"""

from __future__ import annotations

import logging
from collections import deque

MAX_LINES = 200


class LogTail(logging.Handler):
    """Keeps the last lines as they were formatted."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one more. Never raises: a log must not break what it tells of."""
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)

    def lines(self) -> tuple[str, ...]:
        """Oldest first, JSON each."""
        return tuple(self._lines)


TAIL = LogTail()
"""Of this process; empty until logs are configured."""
