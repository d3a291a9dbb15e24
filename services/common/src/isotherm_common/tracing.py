"""Traces of OpenTelemetry: off unless an endpoint is set, and then nothing of OpenTelemetry is even imported.

No service calls another, so no header can carry a trace from one to the next. What they have in common names it instead:
a run's number, a batch's stream and seq. Everybody who knows the name computes the same identifiers from it, and decides
the same way whether the trace is among those that are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from isotherm_common.process import ConfigurationError
from isotherm_common.settings import setting

if TYPE_CHECKING:
    from collections.abc import Iterable

Value = str | int | float | bool


@dataclass(frozen=True)
class TracingSettings:
    """Where traces go."""

    endpoint: str | None = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        default=None,
        help="Where traces go, by OTLP over HTTP, e.g. http://collector:4318; needs the packages of the extra `tracing`. "
        "Not set: no traces. The other OTEL_EXPORTER_OTLP_ variables of OpenTelemetry count, too.",
    )
    ratio: float = setting(
        "OTEL_TRACES_SAMPLER_ARG",
        default=1.0,
        minimum=0,
        maximum=1,
        help="The share of the traces that is kept: 1 is all. The services keep the same ones.",
    )


@dataclass(frozen=True)
class Identity:
    """The identifiers of a span that more than one service can name.

    Attributes:
        trace_id: 128 bits.
        span_id: 64 bits.
    """

    trace_id: int
    span_id: int


def identity(*name: object) -> Identity:
    """Return the identifiers that belong to a name."""
    digest = hashlib.sha256("\0".join(map(str, name)).encode()).digest()
    return Identity(int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:24], "big") or 1)


def of_run(database: str, run_id: int) -> Identity:
    """Return the identifiers of a run of the fetcher."""
    return identity("run", database, run_id)


def of_batch(stream: str, seq: int) -> Identity:
    """Return the identifiers of a batch of the CDC."""
    return identity("batch", stream, seq)


class Span(Protocol):
    """What goes on for a while."""

    def set(self, **attributes: Value) -> None:
        """Say more about it."""


class Tracing(Protocol):
    """Makes spans.

    Attributes:
        enabled: whether anybody gets them: what is costly to find out about a span need not be found out if not.
    """

    enabled: bool

    def span(
        self,
        name: str,
        *,
        known_as: Identity | None = None,
        within: Identity | None = None,
        because_of: Iterable[Identity] = (),
        began: float | None = None,
        **attributes: Value,
    ) -> contextlib.AbstractContextManager[Span]:
        """Let a span last as long as the block.

        Args:
            name: of what goes on; few different ones.
            known_as: its identifiers, when others are to find it; it begins a trace of its own then.
            within: the span that it is part of, of another service; the surrounding one of this thread when None.
            because_of: spans of other traces that led to it.
            began: when it began, in Unix seconds; now when None.
            attributes: what is to be known about it.
        """

    def close(self) -> None:
        """Send what has not been sent."""


class _NoSpan:
    def set(self, **attributes: Value) -> None:
        """Say it to nobody."""


class _Off:
    enabled = False
    _NOTHING = contextlib.nullcontext(_NoSpan())

    def span(self, name: str, **_: Any) -> contextlib.AbstractContextManager[Span]:  # noqa: ARG002 - said to nobody
        """Return what costs nothing."""
        return self._NOTHING

    def close(self) -> None:
        """Do nothing."""


OFF: Tracing = _Off()
"""Makes no spans."""


def configure(settings: TracingSettings, service: str, version: str) -> Tracing:
    """Return what makes spans of this process.

    Raises:
        ConfigurationError: traces are wanted, and OpenTelemetry is not installed.
    """
    if settings.endpoint is None:
        return OFF
    try:
        from isotherm_common.open_telemetry import OpenTelemetry  # noqa: PLC0415 - not there unless it is wanted
    except ImportError as error:
        message = (
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, and {error.name} is not installed: install the extra `tracing` of this "
            "service, build the image with TRACING=1, or leave the variable out."
        )
        raise ConfigurationError(message) from error
    return OpenTelemetry.exporting(settings.endpoint, settings.ratio, service, version)
