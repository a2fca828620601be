"""The end of a log without what was spoken: only fields that are known to hold no text are kept.

An allow-list, from `ttsops.observe.log_schema`: a field that is new there is kept, one that another library
adds is not. Lines that are no JSON (a terminal's log, another program's) are left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ttsops.errors import InvalidValue
from ttsops.observe.log_schema import EVENTS, UTTERANCE, Line, Utterance
from ttsops.ops.diag.redact import scrub_all

MAX_BYTES = 4 * 2**20
MAX_LINES = 2000
LEFT_OUT = "(left out)"

_FIELDS = frozenset(
    [
        *Line.__struct_fields__,
        *Utterance.__struct_fields__,
        *(name for _, names in EVENTS.values() for name in names),
    ]
)
_OWN_EVENTS = frozenset([UTTERANCE, *EVENTS])
_FREE_TEXT = frozenset({"reason", "error"})
"""Fields with a sentence that an error said: it may quote what it was given."""

_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'")
_PASSAGE = re.compile(r"\s.*\s", re.DOTALL)
_FRAME = re.compile(r'^\s*File "[^"]+", line \d+, in \S+$')


@dataclass(frozen=True, slots=True)
class Tail:
    """What is left of a log's last lines."""

    lines: tuple[dict[str, Any], ...]
    n_left_out: int
    """Lines of which nothing was kept."""


def read_tail(path: Path) -> Tail:
    """Of the last 2000 lines of `path`. Raises `InvalidValue` if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MAX_BYTES))
            raw = file.read().splitlines()[-MAX_LINES:]
    except OSError as error:
        raise InvalidValue(f"cannot read the log `{path}`: {error.strerror}") from error
    kept = [line for line in map(_clean, raw) if line]
    return Tail(tuple(kept), len(raw) - len(kept))


def _clean(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(line, dict) or not isinstance(line.get("event"), str):
        return None
    found = dict(_fields(line))
    frames = [one.strip() for one in str(line.get("exception", "")).splitlines() if _FRAME.match(one)]
    if frames:
        found["frames"] = frames
    cleaned: dict[str, Any] = scrub_all(found)
    return cleaned


def _fields(line: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    is_own = line["event"] in _OWN_EVENTS
    for name, value in line.items():
        if name not in _FIELDS or not isinstance(value, str | int | float | bool | None):
            continue
        if name == "event" and not is_own:
            yield name, LEFT_OUT  # the message of another library's line
        elif name in _FREE_TEXT and isinstance(value, str):
            yield name, _without_passages(value)
        else:
            yield name, value


def _without_passages(text: str) -> str:
    """Quotations of three words or more are what somebody said, not a name."""
    return _QUOTED.sub(lambda found: LEFT_OUT if _PASSAGE.search(found[0]) else found[0], text)


def encode(tail: Tail) -> bytes:
    """As JSON, a line each."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in tail.lines)
