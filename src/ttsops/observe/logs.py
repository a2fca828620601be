"""Logs: one JSON object per line (or coloured text on a terminal), other libraries' lines included.

`log = logs.get_logger(__name__)`, then `log.info("worker_started", engine="espeak", pid=7)`: a fixed event
name and fields, never a sentence built from values, and never the text that is spoken. Without `configure` a
logger behaves like any of the standard library: warnings go to stderr.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from ttsops.errors import from_code
from ttsops.observe.log_schema import UTTERANCE, Utterance
from ttsops.observe.log_tail import TAIL
from ttsops.observe.outcomes import outcome_of

Logger = structlog.stdlib.BoundLogger
Level = Literal["debug", "info", "warning", "error"]

# No structlog.configure(): its defaults print to stdout, which is data in the CLI, and a library that imports
# tts-ops may have its own. Every logger carries its processors and ends in the standard library's logging.
_TO_STDLIB: tuple[Processor, ...] = (
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
)


def get_logger(name: str) -> Logger:
    """The logger of a module; `name` is its `__name__`."""
    logger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=_TO_STDLIB,
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return cast(Logger, logger)


def bound(**fields: str) -> AbstractContextManager[None]:
    """Fields for every line of this task inside the `with`, such as `request_id`."""
    return structlog.contextvars.bound_contextvars(**fields)


def configure(
    level: Level = "info",
    format: Literal["auto", "json", "console"] = "auto",
    *,
    stream: TextIO | None = None,
    env: Mapping[str, str] = os.environ,
) -> None:
    """Send every line of this process to `stream` (stderr). Called once, when a process starts.

    `auto` is coloured text on a terminal and JSON elsewhere. Start uvicorn with `log_config=None`: its lines
    then come here, too.
    """
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    if format == "auto":
        format = "console" if is_terminal else "json"
    renderer = _console(has_colour=is_terminal and not env.get("NO_COLOR")) if format == "console" else _json
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(renderer))
    TAIL.setFormatter(_formatter(_json))
    root = logging.getLogger()
    root.handlers[:] = [handler, TAIL]
    root.setLevel(level.upper())
    logging.captureWarnings(True)


def _formatter(renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            renderer,
        ],
    )


def _console(*, has_colour: bool) -> Processor:
    # Not rich's tracebacks, which the renderer would choose: they show local variables, and so the text.
    return structlog.dev.ConsoleRenderer(
        colors=has_colour, timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
    )


def _json(logger: WrappedLogger, method: str, fields: EventDict) -> str:
    fields = structlog.processors.format_exc_info(logger, method, fields)
    first = {name: fields.pop(name, "") for name in ("time", "level", "event", "logger")}
    return msgspec.json.encode(first | dict(fields), enc_hook=repr, order=None).decode()


_utterances = get_logger("ttsops.utterance")


def log_utterance(utterance: Utterance) -> None:
    """The one line of an utterance that ended; a warning only if that was our fault."""
    fields: dict[str, Any] = msgspec.structs.asdict(utterance)
    for name, value in fields.items():
        if isinstance(value, float):
            fields[name] = round(value, 4)  # a tenth of a microsecond helps nobody who reads lines
    error = from_code(utterance.error_code, "") if utterance.error_code else None
    write = _utterances.warning if outcome_of(error) == "failed" else _utterances.info
    write(UTTERANCE, **fields)
