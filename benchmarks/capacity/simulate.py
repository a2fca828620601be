"""Servers in virtual time: places, the line before them, steps by deadline, and the listeners' players.

The rules are the server's own: `ttsops.runtime.scheduler.pick` chooses who is stepped,
`ttsops.runtime.playout` plays, and admission is that of `ttsops.runtime.admission` (places in order of
arrival, a line of `max_queue`, a wait of `max_queue_seconds`, 429). Requests go to the server with the
fewest, as NGINX's `least_conn` sends them.

Left out: the network, the web server (milliseconds, see benchmarks/results/server_overhead.json), text that
is still being written, crashes, and clients who try again after a 429.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from benchmarks.capacity.arrivals import Seconds
from benchmarks.capacity.steps import StepModel
from ttsops.runtime.playout import Playout
from ttsops.runtime.scheduler import Turn, pick
from ttsops.settings import RuntimeSettings

SHORTEST_STALL = 0.001
"""Seconds; as the load test counts."""

_TINY = 1e-9
_DEFAULTS = RuntimeSettings()


@dataclass(frozen=True)
class Server:
    """How each of them is set up."""

    steps: StepModel
    max_streams: int
    """Places; an utterance keeps its own until it is made, which is before it is heard."""

    max_batch: int = 256
    max_queue: int = _DEFAULTS.max_queue
    max_queue_seconds: float = _DEFAULTS.max_queue_seconds
    window_seconds: float = _DEFAULTS.live_window_seconds
    ahead_seconds: float = math.inf
    """What a listener's machine and the network take before it is played; beyond it and the window the server
    makes no more. Buffers of TCP alone hold tens of seconds."""


@dataclass(slots=True)
class Heard:
    """One request and what became of it. Times are seconds from the start."""

    came_at: float
    speech_seconds: float
    server: int = 0
    is_refused: bool = False
    """429: the line was full, or no place came free in time."""

    wait_seconds: float = 0.0
    """For a place, or until it was refused."""

    first_audio_seconds: float | None = None
    """Came → first audio is made."""

    ended_at: float = 0.0
    """All of it is made, or it was refused."""

    underruns: int = 0
    underrun_seconds: float = 0.0


class _Voice(Turn):
    """An utterance in the engine."""

    __slots__ = ("heard", "is_over", "left_seconds", "player")

    def __init__(self, heard: Heard, now: float, window_seconds: float, is_over: simpy.Event) -> None:
        super().__init__(now, is_live=True, window_seconds=window_seconds)
        self.heard = heard
        self.left_seconds = heard.speech_seconds
        self.player = Playout()
        self.is_over = is_over

    def take(self, now: float, seconds: float) -> None:
        """So much was made, and is with its listener."""
        self.left_seconds -= seconds
        self.stepped(now, seconds)
        if self.heard.first_audio_seconds is None:
            self.heard.first_audio_seconds = now - self.heard.came_at
        stall = self.player.heard(now, seconds)
        if stall > SHORTEST_STALL:
            self.heard.underruns += 1
            self.heard.underrun_seconds += stall


class _Running:
    """One server."""

    def __init__(self, env: simpy.Environment, server: Server) -> None:
        self._env = env
        self._server = server
        self._line: deque[simpy.Event] = deque()
        self._voices: list[_Voice] = []
        self._n_opened = 0
        self._n_live = 0
        self._work = env.event()
        env.process(self._steps())

    @property
    def n_requests(self) -> int:
        """With a place or in line: what `least_conn` counts."""
        return self._n_live + len(self._line)

    def hear(self, heard: Heard) -> Generator[simpy.Event, Any, None]:
        """A process: from coming to the last sample, or a 429."""
        yield from self._enter(heard)
        heard.wait_seconds = self._env.now - heard.came_at
        if not heard.is_refused:
            voice = _Voice(heard, self._env.now, self._server.window_seconds, self._env.event())
            self._voices.append(voice)
            self._n_opened += 1
            if not self._work.triggered:
                self._work.succeed()
            yield voice.is_over
        heard.ended_at = self._env.now

    def _enter(self, heard: Heard) -> Generator[simpy.Event, Any, None]:
        if self._n_live < self._server.max_streams and not self._line:
            self._n_live += 1
            return
        if len(self._line) >= self._server.max_queue:
            heard.is_refused = True
            return
        place = self._env.event()
        self._line.append(place)
        yield place | self._env.timeout(self._server.max_queue_seconds)
        if not place.triggered:
            self._line.remove(place)
            heard.is_refused = True

    def _leave(self) -> None:
        """The first in line has the place at once."""
        if self._line:
            self._line.popleft().succeed()
        else:
            self._n_live -= 1

    def _steps(self) -> Generator[simpy.Event, Any, None]:
        """The engine's thread."""
        server, env = self._server, self._env
        while True:
            now = env.now
            self._read(now)
            batch = pick(self._voices, now, server.max_batch)
            if not batch:
                yield from self._rest()
                continue
            n_opened, self._n_opened = self._n_opened, 0
            yield env.timeout(server.steps(len(batch)) + n_opened * server.steps.open_seconds)
            for voice in batch:
                voice.take(env.now, min(server.steps.chunk_seconds, voice.left_seconds))
                if voice.left_seconds <= _TINY:
                    self._voices.remove(voice)
                    self._leave()
                    voice.is_over.succeed()

    def _read(self, now: float) -> None:
        """What is made and neither heard nor on its way fills the window."""
        for voice in self._voices:
            voice.unread_seconds = max(0.0, voice.player.buffered_seconds(now) - self._server.ahead_seconds)

    def _rest(self) -> Generator[simpy.Event, Any, None]:
        """Until somebody comes, or a listener has heard enough for more to be made."""
        self._work = self._env.event()
        parked = [voice.unread_seconds - voice.window_seconds for voice in self._voices]
        if parked:
            yield self._work | self._env.timeout(max(_TINY, min(parked) + _TINY))
        else:
            yield self._work


def simulate(times: Seconds, speech_seconds: Seconds, servers: Sequence[Server]) -> list[Heard]:
    """What each request of `times` [n] came to, in that order; every one is followed to its end."""
    env = simpy.Environment()
    running = [_Running(env, server) for server in servers]
    requests = [Heard(float(at), float(seconds)) for at, seconds in zip(times, speech_seconds, strict=True)]

    def come() -> Generator[simpy.Event, Any, None]:
        hearing = []
        for number, heard in enumerate(requests):
            yield env.timeout(max(0.0, heard.came_at - env.now))
            # Of those with as many, each in turn: as NGINX does, and no server is favoured for its number.
            in_turn = [(number + shift) % len(running) for shift in range(len(running))]
            heard.server = min(in_turn, key=lambda one: running[one].n_requests)
            hearing.append(env.process(running[heard.server].hear(heard)))
        yield env.all_of(hearing)

    env.run(env.process(come()))
    return requests
