"""The books of one utterance: from the moment it is accepted to the last byte its listener got.

One log line, its share of the metrics, and its place among the figures of `GET /health`. The text is in none.
"""

from __future__ import annotations

from ttsops.errors import TtsOpsError
from ttsops.observe import metrics, tracing
from ttsops.observe.log_schema import Utterance
from ttsops.observe.logs import log_utterance
from ttsops.observe.outcomes import outcome_of
from ttsops.runtime import Stream, StreamStats
from ttsops.runtime.control import control_hash
from ttsops.server.orders import Order
from ttsops.server.state import ServerState


class Record:
    """Made when an utterance is accepted; `close` is called once, however it ended."""

    def __init__(self, state: ServerState, *, request_id: str, route: str, order: Order) -> None:
        self._state = state
        self._request_id = request_id
        self._route = route
        self._order = order
        self._accepted_at = state.clock()
        self._trace = tracing.current()
        self._traced_at = self._trace.seconds
        self._first_audio_seconds: float | None = None
        self._stream: Stream | None = None
        self._control_hash: str | None = None
        self.n_chars = 0
        """Characters to speak, as they are spoken."""
        state.began_answering()

    def opened(self, stream: Stream) -> None:
        """It has a place in an engine."""
        self._stream = stream
        # Now: whoever gives the voice another recording meanwhile changes those that follow.
        service = self._state.service(stream.engine)
        self._control_hash = control_hash(service.control(stream.request, self._order.text_options))

    def sent_first_audio(self) -> None:
        """The first byte of audio was handed to the socket."""
        self._first_audio_seconds = self._state.clock() - self._accepted_at

    def close(self, error: BaseException | None) -> None:
        """It is over; `error` says why, if it did not go well."""
        self._state.ended_answering()
        stream = self._stream
        engine = self._state.engine_label(self._order.engine) if stream is None else stream.engine
        outcome = outcome_of(error)
        total_seconds = self._state.clock() - self._accepted_at
        metrics.REQUESTS.labels(route=self._route, engine=engine, outcome=outcome).inc()
        metrics.REQUEST_DURATION.labels(route=self._route, engine=engine).observe(total_seconds)
        if error is not None:
            metrics.ERRORS.labels(engine=engine, code=_code(error)).inc()
        if self._first_audio_seconds is not None:
            metrics.TIME_TO_FIRST_AUDIO.labels(engine=engine, format=self._order.format.value).observe(
                self._first_audio_seconds
            )
        stats = StreamStats() if stream is None else stream.stats
        # A whole file is sent when it is complete: what its engine needed says more than when that was.
        first_seconds = self._first_audio_seconds or stats.first_audio_seconds
        self._state.recent.add(outcome, rtf=stats.rtf, first_chunk_seconds=first_seconds)
        self._log(engine, stats, first_seconds, total_seconds, error)
        if self._trace.trace_id:
            self._draw_spans(engine, stats, total_seconds, error)

    def _draw_spans(
        self, engine: str, stats: StreamStats, total_seconds: float, error: BaseException | None
    ) -> None:
        """The utterance as its listener waited for it: queue, worker, first frame, encoder, socket."""
        trace, accepted = self._trace, self._traced_at
        ended = accepted + total_seconds
        opened = accepted + stats.queue_wait_seconds
        trace.child("queue", accepted, opened if self._stream else ended, engine=engine)
        if self._stream is not None:
            first_frame = None if stats.first_audio_seconds is None else accepted + stats.first_audio_seconds
            trace.child(
                "worker",
                opened,
                ended,
                {} if first_frame is None else {"first frame": first_frame},
                engine=engine,
                voice=self._stream.request.voice,
                synthesis_seconds=stats.synthesis_seconds,
                audio_seconds=stats.audio_seconds,
                underruns=stats.underruns,
                error_code=None if error is None else _code(error),
            )
            if first_frame is not None and self._first_audio_seconds is not None:
                first_byte = accepted + self._first_audio_seconds
                trace.child("encode", first_frame, first_byte, format=self._order.format.value)
                trace.child("send", first_byte, ended)

    def _log(
        self,
        engine: str,
        stats: StreamStats,
        first_seconds: float | None,
        total_seconds: float,
        error: BaseException | None,
    ) -> None:
        stream = self._stream
        log_utterance(
            Utterance(
                request_id=self._request_id,
                route=self._route,
                engine=engine,
                voice=stream.request.voice if stream is not None else self._order.voice,
                format=self._order.format.value,
                control_hash=self._control_hash,
                text_chars=self.n_chars,
                success=error is None,
                error_code=None if error is None else _code(error),
                duration_seconds=stats.audio_seconds,
                rtf=stats.rtf,
                first_chunk_ms=None if first_seconds is None else first_seconds * 1000,
                queue_ms=stats.queue_wait_seconds * 1000,
                total_ms=total_seconds * 1000,
                underruns=stats.underruns,
                underrun_seconds=stats.underrun_seconds,
                is_failover=stream is not None and stream.is_failover,
            )
        )


def _code(error: BaseException) -> str:
    if isinstance(error, TtsOpsError):
        return error.code
    # A cancelled task is a listener who hung up; anything else is a bug, and its traceback is in the log.
    return "cancelled" if not isinstance(error, Exception) else "internal"
