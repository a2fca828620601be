"""Keeps one worker running: starts it, watches it, and starts it again with a growing pause when it ends.

Knows nothing of utterances. What a worker's end means for them is the service's business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Literal

from ttsops.errors import EngineHung, EngineUnavailable, TtsOpsError, WorkerDied
from ttsops.runtime.link import Link
from ttsops.runtime.messages import Command, Event, Load, LoadFailed, Ping, Pong, Ready, Shutdown
from ttsops.settings import RuntimeSettings

State = Literal["loading", "ready", "down", "stopped"]

PING_SECONDS = 1.0
SHUTDOWN_SECONDS = 2.0


class Supervisor:
    """One worker at a time.

    Callbacks run on the event loop: `on_event` for every message of the worker but its heartbeat, `on_ready`
    when it can speak, `on_down` when it has ended or could not load.
    """

    def __init__(
        self,
        load: Load,
        make_link: Callable[[], Link],
        settings: RuntimeSettings,
        *,
        clock: Callable[[], float],
        on_event: Callable[[Event], None],
        on_ready: Callable[[Ready], None],
        on_down: Callable[[TtsOpsError], None],
    ) -> None:
        self._load = load
        self._make_link = make_link
        self._settings = settings
        self._clock = clock
        self._on_event = on_event
        self._on_ready = on_ready
        self._on_down = on_down
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._state_changed = asyncio.Event()
        self._state: State = "loading"
        self._state_since = clock()
        self._load_seconds = 0.0
        self._pause_seconds = 0.0
        self._started_at = self._last_pong_at = clock()
        self._failure: TtsOpsError | None = None
        self.n_starts = 0

    @property
    def state(self) -> State:
        """`loading` the first time, `down` from an end to the next readiness."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The worker's process, while there is one."""
        return self._link.pid if self._link is not None else None

    def ready_in(self) -> float:
        """Seconds until it should be ready: what is left of the pause, and the last load's measured time."""
        if self._state == "ready":
            return 0.0
        return max(0.0, self._pause_seconds + self._load_seconds - (self._clock() - self._state_since))

    def start(self) -> None:
        """Begin supervising."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def wait_ready(self) -> None:
        """Until the worker can speak for the first time; raises why it cannot."""
        while self._state == "loading":
            self._state_changed.clear()
            await self._state_changed.wait()
        if self._state != "ready":
            raise self._failure or EngineUnavailable(f"engine `{self._load.engine}` is stopped")

    def send(self, command: Command) -> None:
        """To the worker, if there is one."""
        if self._link is not None:
            self._link.send(command)

    def restart(self, error: TtsOpsError) -> None:
        """End this worker for `error`; the next one starts after the usual pause."""
        if self._link is not None and self._failure is None:
            self._failure = error
            self._link.kill()

    async def stop(self) -> None:
        """Ask the worker to end, insist after a moment, and stop supervising."""
        self._set_state("stopped")
        link = self._link
        if link is not None:
            link.send(Shutdown())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    await link.wait_closed()
            link.kill()
            await link.wait_closed()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause = self._settings.restart_first_seconds
        while True:
            ready_seconds = await self._run_worker()
            if self._state == "stopped":
                return
            # A worker that held out for long was healthy: begin with the short pause again.
            if ready_seconds > self._settings.restart_max_seconds:
                pause = self._settings.restart_first_seconds
            self._pause_seconds = pause
            assert self._failure is not None
            self._set_state("down")
            self._on_down(self._failure)
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._settings.restart_max_seconds)

    async def _run_worker(self) -> float:
        """One worker from start to end; for how many seconds it was ready."""
        self._failure = None
        self.n_starts += 1
        self._started_at = self._last_pong_at = self._clock()
        link = self._link = self._make_link()
        try:
            await link.start(self._receive)
        except OSError as error:
            self._link = None
            self._failure = EngineUnavailable(f"the worker could not be started: {error}")
            return 0.0
        link.send(self._load)
        closed = asyncio.ensure_future(link.wait_closed())
        try:
            n_pings = 0
            interval = min(PING_SECONDS, self._settings.step_seconds / 4)
            while not (await asyncio.wait({closed}, timeout=interval))[0]:
                n_pings += 1
                self._watch()
                link.send(Ping(n_pings))
        finally:
            closed.cancel()
        how = await link.wait_closed()
        ready_seconds = self._clock() - self._state_since if self._state == "ready" else 0.0
        self._link = None
        if self._failure is None:
            self._failure = WorkerDied(
                f"the worker of engine `{self._load.engine}` ended ({how})", hint="send the request again"
            )
        return ready_seconds

    def _watch(self) -> None:
        """End a worker that loads for too long or answers no more."""
        now = self._clock()
        settings = self._settings
        if self._state != "ready":
            self._last_pong_at = now
            if now - self._started_at > settings.load_seconds:
                self.restart(EngineUnavailable(f"not loaded within {settings.load_seconds:g} s"))
        elif now - self._last_pong_at > max(settings.step_seconds, 2 * PING_SECONDS):
            self.restart(EngineHung("the worker does not answer any more", hint="send the request again"))

    def _receive(self, event: Event) -> None:
        if isinstance(event, Pong):
            self._last_pong_at = self._clock()
            if event.step_age_seconds > self._settings.step_seconds:
                limit = self._settings.step_seconds
                self.restart(
                    EngineHung(f"a step took longer than {limit:g} s", hint="send the request again")
                )
        elif isinstance(event, Ready):
            self._load_seconds = self._clock() - self._started_at
            self._set_state("ready")
            self._on_ready(event)
        elif isinstance(event, LoadFailed):
            self._failure = event.error.to_error()
        else:
            self._on_event(event)

    def _set_state(self, state: State) -> None:
        if self._state != "stopped":
            self._state = state
            self._state_since = self._clock()
            self._state_changed.set()
