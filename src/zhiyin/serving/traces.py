"""Spans of OpenTelemetry: one for each request, with children for its stages, sent in the background.

The packages come with the extra `traces`: this file is imported only by a service that is to keep traces.
"""

from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from zhiyin.serving.current import Noted

MOST_WAITING = 2_048
"""Spans that wait to be sent; further ones are dropped."""

BATCH = 512
SEND_SECONDS = 5.0
HEADERS = (b"traceparent", b"tracestate")
PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    """Begins and ends the spans of requests; they go to an exporter from a thread of its own and a bounded queue."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": "zhiyin"}), shutdown_on_exit=False)
        milliseconds = SEND_SECONDS * 1_000
        self._provider.add_span_processor(BatchSpanProcessor(exporter, MOST_WAITING, milliseconds, BATCH, milliseconds))
        self._tracer = self._provider.get_tracer("zhiyin")
        self._spans: dict[Noted, Span] = {}

    @classmethod
    def to(cls, collector: str) -> "Tracing":
        """A collector that listens at this address, over OTLP/HTTP."""
        return cls(OTLPSpanExporter(f"{collector.rstrip('/')}/v1/traces", timeout=SEND_SECONDS))

    def begin(self, noted: Noted, scope: Scope) -> None:
        """A request; where the caller has a trace (W3C traceparent), it is a part of that."""
        carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in HEADERS}
        span = self._tracer.start_span(scope["method"][:20], PROPAGATOR.extract(carrier), SpanKind.SERVER)
        inside = set_span_in_context(span)

        def stage(name: str) -> AbstractContextManager[Any]:
            return self._tracer.start_as_current_span(name, inside)

        noted.stages = stage
        self._spans[noted] = span

    def end(self, noted: Noted, route: str, method: str, status: int) -> None:
        """The answer is sent."""
        span = self._spans.pop(noted)
        span.update_name(f"{method[:20]} {route}")
        span.set_attribute("http.request.method", method[:20])
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("zhiyin.request_id", noted.request_id)
        if noted.version:
            span.set_attribute("zhiyin.version", noted.version)
        if noted.scenario:
            span.set_attribute("zhiyin.scenario", noted.scenario)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()

    def flush(self) -> None:
        """Send what waits now."""
        self._provider.force_flush()

    def stop(self) -> None:
        """Send what waits, and end the thread."""
        self._provider.shutdown()
