"""Spans by OpenTelemetry's SDK; imported only where traces are wanted."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.sdk.trace import SpanProcessor

    from isotherm_common.tracing import Identity, Span, Value

_NANOSECONDS = 1_000_000_000


class _Identifiers(RandomIdGenerator):
    """Gives the span that is being made the identifiers it is to be known by, if any."""

    def __init__(self) -> None:
        self.wanted: ContextVar[Identity | None] = ContextVar("wanted", default=None)

    def generate_trace_id(self) -> int:
        wanted = self.wanted.get()
        return super().generate_trace_id() if wanted is None else wanted.trace_id

    def generate_span_id(self) -> int:
        wanted = self.wanted.get()
        return super().generate_span_id() if wanted is None else wanted.span_id


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, **attributes: Value) -> None:
        """Say more about it."""
        self._span.set_attributes(attributes)


class OpenTelemetry:
    """Makes spans (`isotherm_common.tracing.Tracing`)."""

    enabled = True

    def __init__(self, processor: SpanProcessor, ratio: float, service: str, version: str) -> None:
        self._identifiers = _Identifiers()
        self._provider = TracerProvider(
            # By the trace's identifier alone, never by what a parent decided: so all services keep the same traces.
            sampler=TraceIdRatioBased(ratio),
            resource=Resource.create({SERVICE_NAME: f"isotherm-{service}", SERVICE_VERSION: version}),
            id_generator=self._identifiers,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("isotherm")

    @classmethod
    def exporting(cls, endpoint: str, ratio: float, service: str, version: str) -> Self:
        """Return one that sends its spans by OTLP over HTTP, from a thread of its own."""
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        return cls(BatchSpanProcessor(exporter), ratio, service, version)

    @contextlib.contextmanager
    def span(
        self,
        name: str,
        *,
        known_as: Identity | None = None,
        within: Identity | None = None,
        because_of: Iterable[Identity] = (),
        began: float | None = None,
        **attributes: Value,
    ) -> Iterator[Span]:
        """Let a span last as long as the block."""
        context = None
        if known_as is not None:
            context = Context()
        elif within is not None:
            context = trace.set_span_in_context(trace.NonRecordingSpan(_remote(within)), Context())
        token = self._identifiers.wanted.set(known_as)
        try:
            made = self._tracer.start_span(
                name,
                context,
                attributes=attributes,
                links=[trace.Link(_remote(cause)) for cause in because_of],
                start_time=None if began is None else int(began * _NANOSECONDS),
            )
        finally:
            self._identifiers.wanted.reset(token)
        with trace.use_span(made, end_on_exit=True):
            yield _Span(made)

    def close(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()


def _remote(identity: Identity) -> trace.SpanContext:
    return trace.SpanContext(
        identity.trace_id, identity.span_id, is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED)
    )
