"""Traces: what a request waited for, as spans that an OpenTelemetry collector puts side by side.

Off unless `configure` was called: then nothing is imported, and a request pays for one comparison. Spans are
made from times that are taken anyway, when the request is over; what is spoken is in none of them.
Context crosses between services as W3C `traceparent`: https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ttsops.errors import NotInstalled

if TYPE_CHECKING:
    from collections.abc import Iterator


Attribute: TypeAlias = str | int | float | bool

PARENT_HEADER = "traceparent"
TRACE_HEADER = "x-trace-id"
"""Of answers: what to look for in the collector, and in the log's `trace_id`."""

FLUSH_MS = 3000


class Trace(Protocol):
    """One request's span; the work within it becomes its children."""

    trace_id: str
    """32 hexadecimal digits; empty while tracing is off, or this request was not sampled."""

    def headers(self) -> dict[str, str]:
        """What another service is given, so that its spans hang below this one."""
        ...

    def child(
        self,
        name: str,
        start_seconds: float,
        end_seconds: float,
        events: Mapping[str, float] | None = None,
        **attributes: Attribute | None,
    ) -> None:
        """A part of it, in seconds since it began; `events` are moments of it."""
        ...

    def set(self, **attributes: Attribute | None) -> None:
        """What is known of it by now; None is left out."""
        ...

    def end(self, error_code: str = "") -> None:
        """It is over."""
        ...

    @property
    def seconds(self) -> float:
        """Since it began."""
        ...


class _Off:
    """No trace, at no cost."""

    trace_id = ""
    seconds = 0.0

    def headers(self) -> dict[str, str]:
        return {}

    def child(self, *_: Any, **__: Any) -> None:
        return

    def set(self, **_: Attribute | None) -> None:
        return

    def end(self, error_code: str = "") -> None:
        return


OFF: Trace = _Off()
_current: ContextVar[Trace] = ContextVar("ttsops_trace", default=OFF)
_tracer: Any = None


def is_on() -> bool:
    """Whether traces are made."""
    return _tracer is not None


def current() -> Trace:
    """That of the request that this task answers."""
    return _current.get()


@contextmanager
def as_current(trace: Trace) -> Iterator[None]:
    """`current` within the block, and in the tasks that it starts."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


def begin(name: str, parent: str = "", **attributes: Attribute | None) -> Trace:
    """The span of a request; `parent` is the `traceparent` that came with it."""
    if _tracer is None:
        return OFF
    return _Spans(name, parent, attributes)


def configure(service: str, endpoint: str, ratio: float = 1.0) -> Callable[[], None]:
    """Send spans to `endpoint` (OTLP over HTTP) from now on; gives what sends the last ones and ends it.

    `ratio` is the share of requests that are traced, unless their caller decided. Raises `NotInstalled`
    without the extra `otel`.
    """
    global _tracer
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
    except ImportError as error:
        raise NotInstalled(
            "traces need OpenTelemetry's SDK",
            hint="`pip install 'tts-ops[otel]'`, or set `trace.enabled = false`",
        ) from error
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(ratio), resource=Resource.create({"service.name": service})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    _tracer = provider.get_tracer("ttsops")

    def stop() -> None:
        global _tracer
        _tracer = None
        provider.force_flush(FLUSH_MS)
        provider.shutdown()

    return stop


class _Spans:
    """A span of OpenTelemetry and its children. Times of children count from its beginning."""

    def __init__(self, name: str, parent: str, attributes: Mapping[str, Attribute | None]) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._propagator = TraceContextTextMapPropagator()
        above = self._propagator.extract({PARENT_HEADER: parent}) if parent else None
        self._began_ns = time.time_ns()
        self._clock_at = time.perf_counter()
        self._span = _tracer.start_span(name, above, SpanKind.SERVER, start_time=self._began_ns)
        self._context = set_span_in_context(self._span)
        self.trace_id = (
            format(self._span.get_span_context().trace_id, "032x") if self._span.is_recording() else ""
        )
        self.set(**attributes)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._clock_at

    def headers(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, self._context)
        return carrier

    def child(
        self,
        name: str,
        start_seconds: float,
        end_seconds: float,
        events: Mapping[str, float] | None = None,
        **attributes: Attribute | None,
    ) -> None:
        if _tracer is None:
            return
        span = _tracer.start_span(name, self._context, start_time=self._at(start_seconds))
        for attribute, value in attributes.items():
            if value is not None:
                span.set_attribute(f"tts.{attribute}", value)
        for event, at in (events or {}).items():
            span.add_event(event, timestamp=self._at(at))
        span.end(self._at(max(start_seconds, end_seconds)))

    def set(self, **attributes: Attribute | None) -> None:
        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(f"tts.{name}", value)

    def end(self, error_code: str = "") -> None:
        if error_code:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_status(Status(StatusCode.ERROR, error_code))
        self._span.end(self._at(self.seconds))

    def _at(self, seconds: float) -> int:
        return self._began_ns + round(1e9 * seconds)
