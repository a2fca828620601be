"""Jobs of the server: kept in a folder, rendered one after the other, gone on with after a restart."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from ttsops.audio import Format, write_atomically
from ttsops.errors import (
    Cancelled,
    CapacityError,
    EngineHung,
    EngineUnavailable,
    NotFound,
    Overloaded,
    TtsOpsError,
    WorkerDied,
)
from ttsops.observe.logs import get_logger
from ttsops.render import Progress, ServedSpeaker, Wish, folder_of, plan_job, render
from ttsops.runtime import Runtime
from ttsops.settings import RenderSettings
from ttsops.speech import OptionValue

Status: TypeAlias = Literal["queued", "running", "done", "failed"]

REQUEST_FILE, STATUS_FILE = "request.json", "status.json"
MAX_TRIES = 100
MAX_WAIT_SECONDS = 30.0
"""Between tries, while the engine is away or full."""

_ID = re.compile(r"job_[0-9a-f]{24}")

_log = get_logger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a job was asked for; kept, so that it can be gone on with."""

    script: str
    model: str = ""
    voices: tuple[str, ...] = ()
    language: str = ""
    speed: float = 1.0
    seed: int = 0
    options: dict[str, OptionValue] = msgspec.field(default_factory=dict)
    turns_per_context: int = 20
    response_format: Format = Format.MP3
    owner: str = ""
    created_at: float = 0.0

    def wish(self) -> Wish:
        """How it is to be rendered."""
        return Wish(
            voices=self.voices,
            language=self.language,
            speed=self.speed,
            seed=self.seed,
            options=self.options,
            turns_per_context=self.turns_per_context,
        )


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended; kept."""

    files: tuple[str, ...] = ()
    audio_seconds: float = 0.0
    code: str = ""
    message: str = ""


@dataclass(slots=True)
class Job:
    """One script on its way to a recording."""

    id: str
    folder: Path
    asked: Asked
    ended: Ended | None = None
    progress: Progress | None = None
    is_running: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> Status:
        """Where it is."""
        if self.ended is not None:
            return "failed" if self.ended.code else "done"
        return "running" if self.is_running else "queued"

    @property
    def out(self) -> Path:
        """The recording."""
        return self.folder / f"speech.{self.asked.response_format}"

    def file(self, name: str) -> Path:
        """One of its files, or `partial.wav` while it runs. Raises `NotFound`."""
        if self.ended is not None and name in self.ended.files:
            return self.folder / name
        partial = folder_of(self.out) / "partial.wav"
        if name == "partial.wav" and partial.is_file():
            return partial
        raise NotFound(f"the job has no file `{name}`", hint="its `files` are listed with it")


class RenderBook:
    """Every job that is kept. On the event loop, but for the thread that renders."""

    def __init__(
        self, runtime: Runtime, settings: RenderSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._runtime = runtime
        self._folder = Path(settings.folder)
        self._max_jobs = settings.max_jobs
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._now: Job | None = None

    def start(self) -> None:
        """Read what is kept, and go on with what had not ended. Raises `OSError` for a bad folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in sorted(self._folder.iterdir()):
            if _ID.fullmatch(folder.name) and (job := _read(folder)):
                self._jobs[job.id] = job
        self._jobs = dict(sorted(self._jobs.items(), key=lambda one: one[1].asked.created_at))
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop what runs; it is gone on with at the next start."""
        if self._task is None:
            return
        self._task.cancel()
        if self._now is not None:
            self._now.stop.set()
        with suppress(asyncio.CancelledError):
            await self._task

    def add(self, asked: Asked) -> Job:
        """A new job. Raises a `RequestError` for what cannot be spoken, `Overloaded` if too many are kept."""
        if len(self._jobs) >= self._max_jobs:
            raise Overloaded(
                f"{self._max_jobs} jobs are kept, and no more",
                hint="delete those whose files you have",
                retry_after=60,
            )
        speaker = ServedSpeaker(self._runtime, asked.model, asyncio.get_running_loop(), lambda: False)
        plan_job(speaker, asked.script, asked.wish())
        job_id = f"job_{secrets.token_hex(12)}"
        job = Job(job_id, self._folder / job_id, msgspec.structs.replace(asked, created_at=self._clock()))
        job.folder.mkdir()
        write_atomically(job.folder / REQUEST_FILE, msgspec.json.encode(job.asked))
        self._jobs[job_id] = job
        self._wake.set()
        return job

    def get(self, job_id: str, owner: str) -> Job:
        """One of the caller's own. Raises `NotFound`."""
        job = self._jobs.get(job_id)
        if job is None or job.asked.owner != owner:
            raise NotFound(f"there is no job `{job_id}`")
        return job

    def list(self, owner: str) -> list[Job]:
        """The caller's own, the newest first."""
        return [job for job in reversed(self._jobs.values()) if job.asked.owner == owner]

    async def remove(self, job_id: str, owner: str) -> None:
        """Stop it if it runs, and delete it with its files. Raises `NotFound`."""
        job = self.get(job_id, owner)
        del self._jobs[job_id]
        job.stop.set()
        while job.is_running:  # noqa: ASYNC110 - it looks at `stop` between two pieces of audio
            await asyncio.sleep(0.02)
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)

    async def _run(self) -> None:
        while True:
            job = next((one for one in self._jobs.values() if one.status == "queued"), None)
            if job is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._render_now(job)

    async def _render_now(self, job: Job) -> None:
        """Until it has ended, or is stopped; what is no fault of the job is waited for."""
        self._now, job.is_running = job, True
        try:
            for _ in range(MAX_TRIES):
                loop = asyncio.get_running_loop()
                work = asyncio.ensure_future(asyncio.to_thread(self._render, job, loop))
                try:
                    wait_seconds = await asyncio.shield(work)
                finally:
                    if not work.done():
                        await asyncio.wait({work})
                if wait_seconds is None:
                    return
                await asyncio.sleep(min(wait_seconds, MAX_WAIT_SECONDS))
            self._end(job, Ended(code="engine_unavailable", message="the engine did not come back"))
        finally:
            self._now, job.is_running = None, False

    def _render(self, job: Job, loop: asyncio.AbstractEventLoop) -> float | None:
        """On its thread: None if it has ended or was stopped, else after how long to try again."""
        asked = job.asked
        try:
            speaker = ServedSpeaker(self._runtime, asked.model, loop, job.stop.is_set)

            def tell(progress: Progress) -> None:
                job.progress = progress
                if job.stop.is_set():
                    raise Cancelled("the job was stopped")

            done = render(
                speaker, asked.script, asked.wish(), job.out, asked.response_format, on_progress=tell
            )
            ended = Ended(files=tuple(path.name for path in done.files), audio_seconds=done.audio_seconds)
        except (CapacityError, EngineUnavailable, WorkerDied, EngineHung) as error:
            return None if job.stop.is_set() else error.retry_after or 1.0
        except TtsOpsError as error:
            if job.stop.is_set():
                return None  # at the next start it goes on, or it is deleted
            _log.warning("render_failed", job=job.id, code=error.code)
            ended = Ended(code=error.code, message=error.message)
        self._end(job, ended)
        return None

    def _end(self, job: Job, ended: Ended) -> None:
        with suppress(TtsOpsError):  # a full disk: it is rendered again at the next start
            write_atomically(job.folder / STATUS_FILE, msgspec.json.encode(ended))
        job.ended = ended


def _read(folder: Path) -> Job | None:
    """A job that is kept; None for what cannot be read."""
    try:
        asked = msgspec.json.decode((folder / REQUEST_FILE).read_bytes(), type=Asked)
        status = folder / STATUS_FILE
        ended = msgspec.json.decode(status.read_bytes(), type=Ended) if status.exists() else None
    except (OSError, msgspec.DecodeError) as e:
        _log.warning("render_unreadable", job=folder.name, reason=str(e))
        return None
    return Job(folder.name, folder, asked, ended)
