"""Speaks the utterances of one socket, one after the other, in the order in which they were begun."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from functools import partial

from ttsops.errors import Cancelled, NoAudio, TtsOpsError
from ttsops.runtime import Segment, Stream
from ttsops.server.protocol import Error, SessionDone
from ttsops.server.record import Record
from ttsops.server.state import STREAM_ROUTE, ServerState
from ttsops.server.utterance import Utterance
from ttsops.server.visit import Visit
from ttsops.server.voicing import SendEvent, SendFrame, Voicing


class Speaker:
    """Runs as a task beside the one that reads the socket. Cancelling it cuts off what it speaks."""

    def __init__(
        self, state: ServerState, visit: Visit, *, send_event: SendEvent, send_frame: SendFrame
    ) -> None:
        self._state = state
        self._visit = visit
        self._send_event = send_event
        self._send_frame = send_frame
        self._waiting: deque[Utterance] = deque()
        self._current: Utterance | None = None
        self._work = asyncio.Event()
        self._is_closing = False

    @property
    def n_waiting(self) -> int:
        """Utterances begun but not yet spoken to the end."""
        return len(self._waiting) + (self._current is not None)

    @property
    def owes_speech(self) -> bool:
        """There is text the client has finished and not yet heard."""
        pending = [*self._waiting, *([self._current] if self._current else [])]
        return any(utterance.is_done for utterance in pending)

    def add(self, utterance: Utterance, *, is_promised: bool) -> None:
        """To be spoken after those before it; in a drain only if it is promised."""
        if is_promised or not self._state.is_draining:
            utterance.is_promised = True
            self._state.began_answering()
        self._waiting.append(utterance)
        self._work.set()

    def cancel(self, reason: str) -> None:
        """Everything that is not yet heard."""
        if self._current is not None:
            self._current.cancel(reason)
        for utterance in self._waiting:
            utterance.cancel(reason)

    def close(self) -> None:
        """`run` returns when everything is spoken."""
        self._is_closing = True
        self._work.set()

    async def run(self) -> None:
        """Until `close`."""
        try:
            while not self._is_closing or self._waiting:
                self._work.clear()
                while self._waiting:
                    self._current = current = self._waiting.popleft()
                    try:
                        await self._speak(current)
                    finally:
                        self._over(current)
                        self._current = None
                if not self._is_closing:
                    await self._work.wait()
        finally:
            for utterance in self._waiting:
                self._over(utterance)

    def _over(self, utterance: Utterance) -> None:
        if utterance.is_promised:
            utterance.is_promised = False
            self._state.ended_answering()

    async def _speak(self, utterance: Utterance) -> None:
        is_one_audio = utterance.config.split_granularity == "none"
        voicing = self._new_voicing(utterance, 0)
        silence: NoAudio | None = None
        while (segment := await utterance.segments.get()) is not None and utterance.error is None:
            try:
                await self._speak_segment(utterance, segment, voicing)
            except NoAudio as error:
                silence = error  # signs alone; no mistake if something else is heard
            except TtsOpsError as error:
                utterance.fail(error)
            if voicing.is_started and not is_one_audio and utterance.error is None:
                await voicing.end()
                voicing = self._new_voicing(utterance, voicing.sentence_index + 1)
        n_audios = voicing.sentence_index + voicing.is_started
        if silence is not None and not n_audios:
            utterance.fail(silence)
        await self._end(utterance, voicing)
        self._over(utterance)  # nobody who is told to stop waits for text that is dropped
        while not utterance.is_done:  # text may still come; it is dropped
            await utterance.segments.get()
        await self._send_event(_session_done(utterance, n_audios))

    async def _speak_segment(self, utterance: Utterance, segment: Segment, voicing: Voicing) -> None:
        order, config = utterance.order, utterance.config
        record = Record(self._state, request_id=self._visit.request_id, route=STREAM_ROUTE, order=order)
        open_stream = partial(
            self._state.runtime.open,
            engine=order.engine,
            is_live=config.stream_audio,
            goes_on=utterance.is_promised,
        )
        error: BaseException | None = None
        try:
            with self._visit.quota.utterance() if self._visit.quota else contextlib.nullcontext():
                stream = await utterance.open(segment, open_stream)
                record.opened(stream)
                async with stream:
                    await self._hear(stream, segment, voicing, record)
        except BaseException as raised:
            error = raised
            raise
        finally:
            utterance.spoken()
            record.n_chars = len(segment.text)
            record.close(error)

    async def _hear(self, stream: Stream, segment: Segment, voicing: Voicing, record: Record) -> None:
        has_begun = has_sent = False
        async for chunk in stream:
            if not has_begun:
                has_begun = True
                await voicing.begin(stream, segment.text)
            if await voicing.hear(chunk) and not has_sent:
                has_sent = True
                record.sent_first_audio()
        voicing.end_stream(len(segment.text))

    async def _end(self, utterance: Utterance, voicing: Voicing) -> None:
        """Say what ended the utterance, if it did not go well, and end the audio that is on its way."""
        error = utterance.error
        is_cancelled = isinstance(error, Cancelled)
        has_failed = error is not None and not is_cancelled
        if error is not None and has_failed:
            has_audio = voicing.is_started or voicing.sentence_index > 0
            event = Error.of(error, utterance_index=utterance.index, partial_audio=has_audio)
            await self._send_event(event)
        if voicing.is_started:
            await voicing.end(has_failed=has_failed, is_cancelled=is_cancelled)

    def _new_voicing(self, utterance: Utterance, sentence_index: int) -> Voicing:
        return Voicing(
            utterance.order,
            utterance_index=utterance.index,
            sentence_index=sentence_index,
            streams_audio=utterance.config.stream_audio,
            sends_marks=utterance.config.marks,
            encoders=self._state.encoders,
            send_event=self._send_event,
            send_frame=self._send_frame,
        )


def _session_done(utterance: Utterance, n_audios: int) -> SessionDone:
    error = utterance.error
    is_cancelled = isinstance(error, Cancelled)
    return SessionDone(
        utterance_index=utterance.index,
        total_sentences=n_audios,
        error=None if error is None or is_cancelled else error.code,
        cancelled=is_cancelled,
    )
