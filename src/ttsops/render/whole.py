"""A dialogue spoken in one go: kept at every pause, and gone on with to the same bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ttsops.render.chunked import turn_times
from ttsops.render.plan import Chunk
from ttsops.render.script import RenderScript
from ttsops.render.speaker import Speaker
from ttsops.render.state import State, TurnTime
from ttsops.render.track_file import TrackFile

CHECKPOINTS = "checkpoints"


def speak_whole(
    speaker: Speaker,
    script: RenderScript,
    chunk: Chunk,
    state: State,
    track: TrackFile,
    folder: Path,
    keep: Callable[[], None],
    tell: Callable[[], None],
) -> list[TurnTime]:
    """When its turns are heard. After each pause `state` is at the next checkpoint, and `keep` is called."""
    place = folder / CHECKPOINTS
    place.mkdir(exist_ok=True)
    for samples, pausing in speaker.speak(chunk.requests[0], place, state.checkpoint):
        if len(samples):
            track.append(samples)
            tell()
        if pausing is not None and track.n_samples > state.n_samples:
            track.sync()
            speaker.save(pausing, place, state.checkpoint + 1)
            state.checkpoint += 1
            state.marks.append(track.n_samples)
            keep()
    return turn_times(script, chunk, 0, track.n_samples, state.marks)
