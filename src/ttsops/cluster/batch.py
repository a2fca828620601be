"""The lines of a batch, spoken by workers on the machines of a Ray cluster.

Each worker is an actor with a runtime of its own. A line goes there as text and comes back as its whole file;
the batch's own process writes it. So the folder and its journal have one writer, no machine needs to see it,
and what was lost with a machine is what had not come back: those lines are asked for again, of others. A line
comes to no more than its encoded file, some 100 kB for ten seconds of mp3.

Actors, not Ray's tasks: an engine takes seconds to minutes to load. Ray puts an actor that died with its
machine on another one, if there is room.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import ray
from ray.exceptions import RayActorError, RayError

from ttsops.batch import Order, RuntimeSpeaker, Speech, runtime_speaker
from ttsops.cluster.connection import connected
from ttsops.errors import EngineUnavailable, TtsOpsError
from ttsops.observe import logs
from ttsops.observe.logs import get_logger
from ttsops.runtime.messages import WireError
from ttsops.settings import Settings

AWAY_SECONDS = 1.0
"""A worker that was lost is asked again after this."""

PLACE_POLL_SECONDS = 0.02
MAX_WAIT_SECONDS = 5.0
"""For a worker that is free."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ability:
    """What a worker says when its engines are loaded."""

    n_at_once: int
    weights: Mapping[str, Mapping[str, str]]


class LineWorker:
    """What runs on a machine. Ray makes it, and makes it again."""

    async def __init__(self, settings: bytes, engines: Collection[str]) -> None:  # type: ignore[misc]
        """Raises what keeps an engine from loading."""
        logs.configure("warning", "console")
        self._stack = AsyncExitStack()
        found = runtime_speaker(msgspec.json.decode(settings, type=Settings), engines)
        self._speaker: RuntimeSpeaker = await self._stack.enter_async_context(found)

    async def ability(self) -> Ability:
        """Answered when it can speak."""
        return Ability(self._speaker.n_at_once, self._speaker.weights)

    async def speak(self, order: Order) -> Speech | WireError:
        """An error as a value: Ray would wrap it in one of its own."""
        try:
            return await self._speaker.speak(order)
        except TtsOpsError as error:
            return WireError.of(error)


@dataclass(slots=True)
class _Worker:
    actor: Any
    ability: Ability | None = None
    """None until it has answered for the first time."""

    n_now: int = 0
    away_until: float = field(default=0.0)

    def is_free(self, weights: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether it takes a line; never one with other weights than the rest."""
        return (
            self.ability is not None
            and self.ability.weights == weights
            and self.n_now < self.ability.n_at_once
            and time.monotonic() >= self.away_until
        )


class RaySpeaker:
    """Workers on many machines, as one."""

    def __init__(self, workers: list[_Worker], ability: Ability) -> None:
        self._workers = workers
        self.n_at_once = len(workers) * ability.n_at_once
        self.weights = ability.weights

    async def speak(self, order: Order) -> Speech:
        """Where the fewest lines are. Raises `TtsOpsError`; `EngineUnavailable` if a machine was lost."""
        worker = await self._free_worker()
        worker.n_now += 1
        try:
            outcome = await worker.actor.speak.remote(order)
        except RayActorError as e:
            worker.away_until = time.monotonic() + AWAY_SECONDS
            raise EngineUnavailable(f"a worker was lost: {e}", retry_after=PLACE_POLL_SECONDS) from e
        finally:
            worker.n_now -= 1
        if isinstance(outcome, WireError):
            raise outcome.to_error()
        assert isinstance(outcome, Speech)
        return outcome

    async def _free_worker(self) -> _Worker:
        """Nobody tells who was lost for good: so the wait has an end, and the batch its patience."""
        until = time.monotonic() + MAX_WAIT_SECONDS
        while time.monotonic() < until:
            free = [worker for worker in self._workers if worker.is_free(self.weights)]
            if free:
                return min(free, key=lambda one: one.n_now)
            await asyncio.sleep(PLACE_POLL_SECONDS)
        raise EngineUnavailable("every worker is busy or lost", retry_after=PLACE_POLL_SECONDS)


@asynccontextmanager
async def ray_speaker(
    address: str,
    settings: Settings,
    engines: Collection[str],
    *,
    n_workers: int | None = None,
    cpus: float = 1.0,
    gpus: float = 0.0,
) -> AsyncIterator[RaySpeaker]:
    """`n_workers` with `engines`, spread over the machines; one for each machine by default.

    It begins with the first that can speak; the others join. Raises `EngineUnavailable` without a cluster, or
    when none can speak within `runtime.load_seconds`.
    """
    with connected(address):
        make = ray.remote(
            num_cpus=cpus, num_gpus=gpus, max_restarts=-1, max_task_retries=0, scheduling_strategy="SPREAD"
        )(LineWorker)
        data, names = msgspec.json.encode(settings), tuple(engines)
        n_machines = sum(bool(node["Alive"]) for node in ray.nodes())
        workers = [_Worker(make.remote(data, names)) for _ in range(n_workers or n_machines)]
        joining = [asyncio.create_task(_join(worker)) for worker in workers]
        try:
            yield RaySpeaker(workers, await _first(joining, settings.runtime.load_seconds))
        finally:
            for task in joining:
                task.cancel()
            await asyncio.gather(*joining, return_exceptions=True)
            for worker in workers:
                ray.kill(worker.actor)


async def _join(worker: _Worker) -> Ability:
    ability: Ability = await worker.actor.ability.remote()
    worker.ability = ability
    return ability


async def _first(joining: list[asyncio.Task[Ability]], limit_seconds: float) -> Ability:
    for joined in asyncio.as_completed(joining, timeout=limit_seconds):
        try:
            return await joined
        except TimeoutError:
            break
        except RayError as e:
            reason = str(e).strip().splitlines()[-1]
            _log.warning("worker_not_started", reason=reason)
    raise EngineUnavailable(
        "no worker of the cluster can speak", hint="`ray status` shows what room there is"
    )
