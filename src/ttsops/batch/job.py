"""A batch from its manifest to its files.

Exactly once. A line's file is written beside its place, brought to the disk and moved into it; only then is
the line written into the journal, and brought to the disk, too. So wherever a process is killed,

* a line in the journal has its file, whole: it is never spoken again;
* a line that is not is spoken again, whatever lies there. If it was killed between the two, the same name
  gets the same line once more: one file, and one record;
* a file is either whole or not there. What a killed process was writing lies beside it, and is swept away.

One process at a time has the folder, held by a lock that ends with it. A line counts as done only while the
journal's digest is that of the manifest's line and its file has the journal's size: a line that was edited,
or whose file was deleted, is spoken again, and no other.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from ttsops.audio import claimed_folder, write_atomically
from ttsops.audio.files import LOCK_FILE
from ttsops.batch.journal import FILE as JOURNAL_FILE
from ttsops.batch.journal import Begun, Failed, Journal, Loaded, Spoken
from ttsops.batch.manifest import Manifest
from ttsops.batch.order import Defaults, LineSpeaker, Order, Speech, order_of
from ttsops.errors import (
    AudioError,
    CapacityError,
    EngineHung,
    EngineUnavailable,
    InvalidValue,
    JobChanged,
    TtsOpsError,
    WorkerDied,
)

ERRORS_FILE = "errors.jsonl"

MAX_WAIT_SECONDS = 30.0
"""Between tries, while an engine is away."""

_DRAFT = re.compile(r"\..*\.[0-9a-f]{8}\.part")
"""What `write_atomically` calls a file that is not whole."""

OpenSpeaker = Callable[[Collection[str]], AbstractAsyncContextManager[LineSpeaker]]
"""Of engines' names."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is."""

    n_ended: int
    """Lines that were spoken or failed, in all runs."""

    n_lines: int
    n_failed: int
    audio_seconds: float
    """Made by this run."""

    eta_seconds: float | None
    """Until it is done, by letters at the pace of this run; None before there is one."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it."""

    n_lines: int
    n_spoken: int
    """By this run."""

    n_before: int
    """By earlier ones."""

    n_failed: int
    audio_seconds: float
    """Made by this run."""

    seconds: float
    """This run took."""


@dataclass(slots=True)
class Patience:
    """How long engines may be away, with no line spoken meanwhile, before a batch gives up."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    since: float = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.clock()

    def restore(self) -> None:
        """Something was spoken."""
        self.since = self.clock()

    def lose(self, error: TtsOpsError) -> None:
        """Raise `error` if it has lasted too long."""
        if self.clock() - self.since > self.seconds:
            raise error


async def run_batch(
    manifest: Path,
    out: Path,
    defaults: Defaults,
    open_speaker: OpenSpeaker,
    patience: Patience,
    *,
    retries_errors: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Done:
    """Every line of `manifest` into a file in the folder `out`, but for those that an earlier run has done.

    Raises `InvalidValue` for a manifest or a folder that is wrong, before anything is spoken; `JobChanged`
    and `JobDamaged` for a folder that holds another batch; `AudioError` when the disk is full;
    `EngineUnavailable` when `patience` ends. After any of them the same call goes on.
    """
    with closing(Manifest(manifest)) as lines:
        for _ in lines.lines():  # what is wrong with it is told before a folder is made
            pass
        with _batch_folder(out), closing(Journal(out)) as journal:
            _check_defaults(journal, defaults, out)
            run = _Run(lines, out, defaults, journal, patience, on_progress, retries_errors=retries_errors)
            try:
                await run.speak_all(open_speaker)
            finally:
                run.write_errors()
            return run.done()


class _Run:
    """One run: from what the journal says to the last line, or to whatever stops it."""

    def __init__(
        self,
        lines: Manifest,
        out: Path,
        defaults: Defaults,
        journal: Journal,
        patience: Patience,
        on_progress: Callable[[Progress], None],
        *,
        retries_errors: bool,
    ) -> None:
        self._lines = lines
        self._out = out
        self._defaults = defaults
        self._journal = journal
        self._patience = patience
        self._on_progress = on_progress
        self._started_at = time.monotonic()
        self._spoke_from = self._started_at
        self._n_lines = self._n_spoken = 0
        self._n_chars = self._chars_ended = 0
        self._audio_seconds = 0.0
        self._engines: dict[str, None] = {}
        self._pending: dict[int, str] = {}
        """Number of a line → its digest."""
        self._failed: dict[int, Failed] = {}
        self._suspects: list[Order] = []
        """Their worker died while it spoke them, and others."""
        self._plan(retries_errors)
        self._n_before = self._n_lines - len(self._pending) - len(self._failed)

    def _plan(self, retries_errors: bool) -> None:
        for number, line in self._lines.lines():
            self._n_lines += 1
            order = order_of(number, line, self._defaults)
            ended = self._journal.ended.get(order.id)
            if ended is not None and ended.digest == order.digest:
                if isinstance(ended, Spoken) and _size(self._out / ended.file) == ended.n_bytes:
                    continue
                if isinstance(ended, Failed) and not retries_errors:
                    self._failed[number] = msgspec.structs.replace(ended, line=number)
                    continue
            self._pending[number] = order.digest
            self._engines[order.engine] = None
            self._n_chars += len(line.text)

    # ---- speaking ------------------------------------------------------------------------

    async def speak_all(self, open_speaker: OpenSpeaker) -> None:
        """Every line that has not ended. Those that may have killed a worker come last, each alone."""
        if not self._pending:
            return
        async with open_speaker(tuple(self._engines)) as speaker:
            self._check_weights(speaker)
            self._spoke_from = time.monotonic()
            self._patience.restore()
            orders = self._orders()
            async with _first_error(), asyncio.TaskGroup() as group:
                for _ in range(min(speaker.n_at_once, len(self._pending))):
                    group.create_task(self._speak_each(speaker, orders))
            suspects, self._suspects = self._suspects, []
            for order in suspects:
                await self._speak(speaker, order, is_alone=True)

    def _orders(self) -> Iterator[Order]:
        for number, line in self._lines.lines():
            order = order_of(number, line, self._defaults)
            if number not in self._pending:
                continue
            if self._pending[number] != order.digest:
                raise InvalidValue(
                    f"line {number} of the manifest was changed while it was spoken",
                    hint="the same command goes on, with what it says now",
                    param="manifest",
                )
            yield order

    async def _speak_each(self, speaker: LineSpeaker, orders: Iterator[Order]) -> None:
        for order in orders:
            await self._speak(speaker, order, is_alone=False)

    async def _speak(self, speaker: LineSpeaker, order: Order, *, is_alone: bool) -> None:
        outcome = await self._try(speaker, order)
        if isinstance(outcome, WorkerDied | EngineHung) and not is_alone:
            self._patience.lose(outcome)
            self._suspects.append(order)
            return
        record = await _to_its_end(partial(self._keep, order, outcome))
        if isinstance(record, Failed):
            self._failed[order.number] = record
        else:
            self._n_spoken += 1
            self._audio_seconds += record.audio_seconds
        self._patience.restore()
        self._chars_ended += len(order.request.text)
        self._on_progress(self._progress())

    async def _try(self, speaker: LineSpeaker, order: Order) -> Speech | TtsOpsError:
        """The speech, or why there will be none. Raises what is no fault of the line, once it has lasted."""
        while True:
            try:
                return await speaker.speak(order)
            except (CapacityError, EngineUnavailable) as error:
                self._patience.lose(error)
                await asyncio.sleep(min(error.retry_after or 1.0, MAX_WAIT_SECONDS))
            except TtsOpsError as error:
                return error

    # ---- keeping -------------------------------------------------------------------------

    def _keep(self, order: Order, outcome: Speech | TtsOpsError) -> Spoken | Failed:
        """On a thread. First the file, then the journal: see above."""
        if isinstance(outcome, TtsOpsError):
            failed = Failed(
                line=order.number,
                id=order.id,
                digest=order.digest,
                code=outcome.code,
                message=outcome.message,
            )
            self._journal.append(failed)
            return failed
        before = self._journal.ended.get(order.id)
        spoken = Spoken(
            line=order.number,
            id=order.id,
            digest=order.digest,
            file=order.file,
            n_bytes=len(outcome.data),
            audio_seconds=outcome.audio_seconds,
            engine=order.engine,
            voice=outcome.voice,
        )
        write_atomically(self._out / order.file, outcome.data)
        self._journal.append(spoken)
        if isinstance(before, Spoken) and before.file != order.file:
            (self._out / before.file).unlink(missing_ok=True)  # the line had another format
        return spoken

    def write_errors(self) -> None:
        """Those of all runs that still hold. Without room for them they are in the journal all the same."""
        path = self._out / ERRORS_FILE
        if not self._failed:
            path.unlink(missing_ok=True)
            return
        rows = [
            msgspec.json.encode({"line": one.line, "id": one.id, "code": one.code, "message": one.message})
            for _, one in sorted(self._failed.items())
        ]
        with suppress(AudioError):
            write_atomically(path, b"\n".join(rows) + b"\n")

    def _check_weights(self, speaker: LineSpeaker) -> None:
        for engine, weights in speaker.weights.items():
            known = self._journal.weights.get(engine)
            if known is None:
                self._journal.append(Loaded(engine=engine, weights=dict(weights)))
            elif known != weights:
                raise JobChanged(
                    f"`{self._out}` was begun with other weights of engine `{engine}`",
                    hint="give the ones it was begun with, or another folder",
                )

    # ---- telling -------------------------------------------------------------------------

    def _progress(self) -> Progress:
        spent = time.monotonic() - self._spoke_from
        left = (self._n_chars - self._chars_ended) / max(1, self._chars_ended)
        return Progress(
            self._n_before + self._n_spoken + len(self._failed),
            self._n_lines,
            len(self._failed),
            self._audio_seconds,
            spent * left if self._chars_ended else None,
        )

    def done(self) -> Done:
        """What came of it."""
        return Done(
            self._n_lines,
            self._n_spoken,
            self._n_before,
            len(self._failed),
            self._audio_seconds,
            time.monotonic() - self._started_at,
        )


@asynccontextmanager
async def _first_error() -> AsyncIterator[None]:
    """Of a group of tasks: one of them is enough to say why it stopped."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _to_its_end(work: Callable[[], Spoken | Failed]) -> Spoken | Failed:
    """On a thread, also when the task is cancelled meanwhile: what is made is kept."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait({task})


@contextmanager
def _batch_folder(out: Path) -> Iterator[None]:
    """Made, this process's alone, and swept. Raises `InvalidValue` for a folder of something else."""
    with claimed_folder(out, "speaking a batch"):
        names = {path.name for path in out.iterdir()} - {LOCK_FILE}
        if names and JOURNAL_FILE not in names:
            raise InvalidValue(
                f"`{out}` holds files, and no batch", hint="name a folder that is empty or new", param="out"
            )
        for name in names:
            if _DRAFT.fullmatch(name):
                (out / name).unlink(missing_ok=True)
        yield


def _check_defaults(journal: Journal, defaults: Defaults, out: Path) -> None:
    if journal.defaults is None:
        journal.append(Begun(defaults=defaults))
    elif journal.defaults != defaults:
        names = [
            name
            for name in Defaults.__struct_fields__
            if getattr(journal.defaults, name) != getattr(defaults, name)
        ]
        raise JobChanged(
            f"`{out}` was begun with other defaults: {', '.join(names)}",
            hint="give the ones it was begun with, or another folder",
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
