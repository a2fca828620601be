"""A piece of a script, spoken in one go and joined to what was spoken before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ttsops.audio import crossfade, s16_to_float
from ttsops.render.plan import Chunk
from ttsops.render.script import RenderScript
from ttsops.render.seams import FADE_SAMPLES, MIN_MATCHED_CHARS, match, measure, trim
from ttsops.render.served import ServedSpeaker
from ttsops.render.speaker import Speaker
from ttsops.render.state import State, TurnTime
from ttsops.render.track_file import TrackFile
from ttsops.speech import Samples
from ttsops.text.script import Turn

AnySpeaker: TypeAlias = Speaker | ServedSpeaker


def speak_chunk(
    speaker: AnySpeaker,
    script: RenderScript,
    chunk: Chunk,
    state: State,
    track: TrackFile,
    *,
    is_matched: bool,
) -> list[TurnTime]:
    """When its turns are heard. `state` gets its tail and, of who speaks first in it, the level."""
    samples, pauses = _hear(speaker, chunk)
    start = track.n_samples
    if len(samples):
        samples = trim(samples)
        n_chars = sum(len(turn.text) for turn in _turns(script, chunk))
        if is_matched and n_chars >= MIN_MATCHED_CHARS:
            key = chunk.requests[0].voice
            wanted = state.levels.setdefault(key, measure(samples, n_chars))
            samples = match(samples, n_chars, wanted)
        before = s16_to_float(track.last(FADE_SAMPLES))
        track.replace_last(len(before), crossfade(before, samples, FADE_SAMPLES))
    state.tail = track.last(FADE_SAMPLES)
    return turn_times(script, chunk, start, track.n_samples, [start + pause for pause in pauses])


def _hear(speaker: AnySpeaker, chunk: Chunk) -> tuple[Samples, list[int]]:
    """All of it, and where in it segments of speech end, if the engine says so."""
    parts: list[Samples] = []
    pauses: list[int] = []
    n_samples = 0
    for request in chunk.requests:
        for samples, pausing in speaker.speak(request):
            parts.append(samples)
            n_samples += len(samples)
            if pausing is not None:
                pauses.append(n_samples)
    return (np.concatenate(parts) if parts else np.zeros(0, np.float32)), pauses


def turn_times(
    script: RenderScript, chunk: Chunk, start: int, end: int, pauses: Sequence[int]
) -> list[TurnTime]:
    """Of the turns from `start` to `end`: by pauses if there is one for each turn, else by letters."""
    n_turns = chunk.n_turns
    inner = [pause for pause in pauses if start < pause < end]
    if n_turns == 1 or len(inner) == n_turns - 1:
        edges = [start, *inner[: n_turns - 1], end]
        return [TurnTime(edges[i], edges[i + 1]) for i in range(n_turns)]
    lengths = [len(turn.text) for turn in _turns(script, chunk)]
    ends = start + (end - start) * np.cumsum(lengths) / max(1, sum(lengths))
    edges = [start, *(round(float(one)) for one in ends)]
    return [TurnTime(edges[i], edges[i + 1], is_estimated=True) for i in range(n_turns)]


def _turns(script: RenderScript, chunk: Chunk) -> Sequence[Turn]:
    return script.turns[chunk.first_turn : chunk.first_turn + chunk.n_turns]
