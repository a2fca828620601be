"""One utterance as its listener holds it: text goes in, audio chunks come out, and it can be ended any time.

However it ends (finished, failed, cancelled, deadline), it ends once, and its slot in the engine is freed
within one step. Lives on the event loop; knows nothing of sockets to listeners.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from ttsops.engines.contract import EngineCard
from ttsops.errors import (
    Cancelled,
    DeadlineExceeded,
    Draining,
    InvalidValue,
    SlowReader,
    TextTooLong,
    TtsOpsError,
)
from ttsops.observe.figures import rtf
from ttsops.runtime.messages import Ack, Append, Audio, Cancel, Command, End
from ttsops.runtime.meters import EngineMeters
from ttsops.runtime.playout import Playout
from ttsops.speech import SAMPLE_RATE, AudioChunk, SpeechRequest

ACK_SECONDS = 0.25
"""Audio read before the worker is told: one small message for several chunks."""

GATHER_SECONDS = 0.5
"""Audio handed over at once to a reader that is behind; more would make its next byte wait for an encoder."""

PACE_LEAD_SECONDS = 0.5
"""What a player has in hand whose audio comes at the pace of play: enough for a network's hiccups."""

REASONS = ("hangup", "client", "barge_in", "deadline", "shutdown", "slow_reader", "error")
"""Why an utterance is cut short; the `reason` label of the metric."""


@dataclass(slots=True)
class StreamStats:
    """Figures of one utterance, in seconds; complete when it has ended."""

    queue_wait_seconds: float = 0.0
    first_audio_seconds: float | None = None
    """Accepted → first chunk read."""
    audio_seconds: float = 0.0
    """Audio read so far."""
    synthesis_seconds: float | None = None
    """Wall time of the engine's steps it took part in; known when it has finished."""
    underruns: int = 0
    underrun_seconds: float = 0.0

    @property
    def rtf(self) -> float | None:
        """Synthesis time over audio time; None until finished."""
        if self.synthesis_seconds is None or not self.audio_seconds:
            return None
        return rtf(self.synthesis_seconds, self.audio_seconds)


class Stream:
    """Async iterator of `AudioChunk`; leaving its `async with` block ends it."""

    def __init__(
        self,
        number: int,
        request: SpeechRequest,
        card: EngineCard,
        *,
        send: Callable[[Command], None],
        on_end: Callable[[Stream, TtsOpsError | None, str], None],
        meters: EngineMeters,
        clock: Callable[[], float],
        accepted_at: float,
        is_live: bool,
        window_seconds: float,
        slow_reader_seconds: float,
    ) -> None:
        self.number = number
        self.request = request
        self.card = card
        self.is_failover = False
        self.stats = StreamStats(queue_wait_seconds=clock() - accepted_at)
        self._send = send
        self._on_end = on_end
        self._meters = meters
        self._is_live = is_live
        self._is_paced = is_live and card.simulates_live
        self._clock = clock
        self._accepted_at = accepted_at
        self._window_seconds = window_seconds
        self._slow_reader_seconds = slow_reader_seconds
        self._n_chars = len(request.text)
        self._is_text_ended = request.is_text_complete
        self._chunks: deque[tuple[AudioChunk, bool]] = deque()
        self._unread_seconds = 0.0
        self._unacked_seconds = 0.0
        self._is_late_text = False
        self._playout = Playout()
        self._is_ended = False
        self._error: TtsOpsError | None = None
        self._wake = asyncio.Event()
        self._slot_free = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def engine(self) -> str:
        """The engine that really speaks."""
        return self.card.name

    @property
    def buffered_seconds(self) -> float:
        """Audio that a listener who plays at normal pace has in hand now."""
        return self._playout.buffered_seconds(self._clock())

    @property
    def unread_seconds(self) -> float:
        """Audio that is made and was not read yet."""
        return self._unread_seconds

    @property
    def is_live(self) -> bool:
        """Somebody listens meanwhile."""
        return self._is_live

    # ---- text in -----------------------------------------------------------------------

    def append(self, text: str) -> None:
        """More text. Ignored once the utterance has ended; raises `TextTooLong` past the engine's limit."""
        if self._is_text_ended:
            raise InvalidValue("the text of this utterance has ended", param="text")
        if self._n_chars + len(text) > self.card.max_text_chars:
            raise TextTooLong(
                f"more than {self.card.max_text_chars} characters in one utterance",
                param="text",
                hint="end this utterance and open another",
            )
        self._n_chars += len(text)
        if text and not self._is_ended:
            self._send(Append(self.number, text))

    def end(self) -> None:
        """No more text. A second call changes nothing."""
        if not self._is_text_ended and not self._is_ended:
            self._send(End(self.number))
        self._is_text_ended = True

    # ---- ending ------------------------------------------------------------------------

    def cancel(self, reason: str = "client") -> None:
        """End it now: what was not read is dropped, the slot is free within one step."""
        if reason not in REASONS:
            raise ValueError(f"unknown reason `{reason}`; one of {', '.join(REASONS)}")
        if self._is_ended:
            self._chunks.clear()
            return
        self._send(Cancel(self.number))
        self._chunks.clear()
        self._finish(_cancel_error(reason), reason)

    async def aclose(self) -> None:
        """Cancel what is left, and wait until the slot is free."""
        self.cancel("hangup")
        await self._slot_free.wait()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def set_deadline(self, seconds: float) -> None:
        """Cut it off after so long, wherever it is."""
        self._set_timer("deadline", seconds, lambda: self.cancel("deadline"))

    # ---- audio out ---------------------------------------------------------------------

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> AudioChunk:
        while not self._chunks or self._seconds_to_pace() > 0:
            if self._is_ended and not self._chunks:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_pace() if self._chunks else None):
                    await self._wake.wait()
        chunk, is_late_text = self._gather()
        self._account(chunk.seconds, is_late_text)
        return chunk

    def _seconds_to_pace(self) -> float:
        """Until the next chunk of a stream that was made whole is due: its listener hears it as if live."""
        first_at = self.stats.first_audio_seconds
        if not self._is_paced or first_at is None:
            return 0.0
        due_at = self._accepted_at + first_at + self.stats.audio_seconds - PACE_LEAD_SECONDS
        return due_at - self._clock()

    def _gather(self) -> tuple[AudioChunk, bool]:
        """What has come since the last read: who is behind catches up with fewer, larger pieces."""
        chunk, is_late_text = self._chunks.popleft()
        if not self._chunks or self._is_paced:
            return chunk, is_late_text
        parts, marks, seconds = [chunk.samples], list(chunk.marks), chunk.seconds
        while self._chunks and seconds < GATHER_SECONDS:
            chunk, _ = self._chunks.popleft()
            parts.append(chunk.samples)
            marks += chunk.marks
            seconds += chunk.seconds
        return AudioChunk(np.concatenate(parts), SAMPLE_RATE, tuple(marks)), is_late_text

    def _account(self, seconds: float, is_late_text: bool) -> None:
        now = self._clock()
        stats = self.stats
        if stats.first_audio_seconds is None and seconds:
            stats.first_audio_seconds = now - self._accepted_at
        stats.audio_seconds += seconds
        self._meters.audio.inc(seconds)
        if self._is_live and (stall_seconds := self._playout.heard(now, seconds, is_late_text=is_late_text)):
            stats.underruns += 1
            stats.underrun_seconds += stall_seconds
            self._meters.underruns.inc()
            self._meters.underrun_seconds.inc(stall_seconds)
        self._unread_seconds -= seconds
        self._unacked_seconds += seconds
        if self._unacked_seconds >= ACK_SECONDS and not self._is_ended:
            self._send(Ack(self.number, self._unacked_seconds))
            self._unacked_seconds = 0.0
        self._clear_timer("slow_reader")
        self._watch_reader()

    # ---- what the service tells it -----------------------------------------------------

    def on_audio(self, message: Audio) -> None:
        """Samples from the worker."""
        if self._is_ended:
            return
        chunk = AudioChunk(np.frombuffer(message.samples, "<f4"), SAMPLE_RATE, message.marks)
        self._chunks.append((chunk, self._is_late_text))
        if message.samples:
            self._is_late_text = False
        self._unread_seconds += chunk.seconds
        self._watch_reader()
        self._wake.set()

    def on_starved(self) -> None:
        """Everything given is spoken: the pause that follows is the writer's."""
        self._is_late_text = True

    def on_finished(self, synthesis_seconds: float) -> None:
        """The last sample is here."""
        if not self._is_ended:
            self.stats.synthesis_seconds = synthesis_seconds
            factor = rtf(synthesis_seconds, self.stats.audio_seconds + self._unread_seconds)
            if factor is not None:
                self._meters.rtf.observe(factor)
            self._finish(None, "")

    def on_failed(self, error: TtsOpsError) -> None:
        """The engine or the worker gave up; what was made before is still read."""
        if not self._is_ended:
            self._finish(error, "error")

    def on_closed(self) -> None:
        """Its slot is free."""
        self._slot_free.set()

    def _finish(self, error: TtsOpsError | None, reason: str) -> None:
        self._is_ended = True
        self._error = error
        self._clear_timer("deadline")
        self._clear_timer("slow_reader")
        self._on_end(self, error, reason)
        self._wake.set()

    def _watch_reader(self) -> None:
        """Cut off whoever reads nothing; within one Ack of the window the worker may have parked it."""
        is_full = self._unread_seconds >= self._window_seconds - ACK_SECONDS
        if is_full and not self._is_ended and "slow_reader" not in self._timers:
            self._set_timer("slow_reader", self._slow_reader_seconds, lambda: self.cancel("slow_reader"))

    def _set_timer(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, call)

    def _clear_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _cancel_error(reason: str) -> TtsOpsError:
    if reason == "deadline":
        return DeadlineExceeded(
            "the utterance took longer than its deadline", hint="send less text at a time"
        )
    if reason == "slow_reader":
        return SlowReader("nobody read the audio for too long", hint="read faster, or ask for a file")
    if reason == "shutdown":
        return Draining("the server is stopping", hint="try another instance, or again in a moment")
    return Cancelled(f"cancelled ({reason})")
