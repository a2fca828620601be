"""How far a job is: one small file, replaced whole after every step that is kept."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ttsops.audio import write_atomically
from ttsops.errors import JobChanged, JobDamaged

FILE = "state.json"
VERSION = 1


class TurnTime(msgspec.Struct, frozen=True):
    """When a turn is heard, in samples at 24 kHz from the beginning of the recording."""

    start: int
    end: int
    is_estimated: bool = False
    """By its share of the letters of what was spoken in one go: nothing says where in it the turn begins."""


class Level(msgspec.Struct, frozen=True):
    """How a speaker sounded first: what later pieces are matched to."""

    dbfs: float
    chars_per_second: float


class State(msgspec.Struct, kw_only=True):
    """Everything before `n_samples` is made, and stays as it is but for its `tail`."""

    version: int = VERSION
    fingerprint: str
    n_chunks: int = 0
    """Chunks that are done."""

    n_samples: int = 0
    tail: bytes = b""
    """The last samples as bytes: the next piece fades into them."""

    turns: list[TurnTime] = msgspec.field(default_factory=list)
    levels: dict[str, Level] = msgspec.field(default_factory=dict)
    """By voice."""

    marks: list[int] = msgspec.field(default_factory=list)
    """Of a chunk that is half done: samples at which its segments of speech end."""

    checkpoint: int = 0
    """Of a chunk that is half done: the number of that from which the engine goes on; 0 for its beginning."""

    seconds: float = 0.0
    """Spent on it, over all runs."""


def load_state(folder: Path, fingerprint: str) -> State:
    """What `folder` holds, or a beginning.

    Raises `JobChanged` for a job of another script or with other settings, `JobDamaged` for one that cannot
    be read.
    """
    path = folder / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return State(fingerprint=fingerprint)
    except OSError as e:
        raise JobDamaged(f"cannot read `{path}`: {e.strerror}") from e
    try:
        state = msgspec.json.decode(data, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise JobDamaged(f"`{path}` is no state of a job: {e}", hint="begin anew with `--restart`") from e
    if state.version != VERSION or state.fingerprint != fingerprint:
        raise JobChanged(
            f"`{folder}` is half of another job: its script, voices or settings are not these",
            hint="give the ones it was begun with, or begin anew with `--restart`",
        )
    return state


def save_state(folder: Path, state: State) -> None:
    """Whole or not at all. Raises `AudioError`."""
    write_atomically(folder / FILE, msgspec.json.encode(state))
