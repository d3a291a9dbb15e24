"""Prometheus metrics of the web service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Kind = TypeVar("Kind", Counter, Gauge)

_COMMIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60)
_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """All metrics, registered with one registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.clients = Gauge("isotherm_web_clients", "Websockets open now.", ["format"], registry=registry)
        self.clients_limit = Gauge(
            "isotherm_web_clients_limit",
            "Websockets that may be open at once (WEB_MAX_CONNECTIONS).",
            registry=registry,
        )
        self.connections = Counter("isotherm_web_connections", "Websockets accepted.", ["format"], registry=registry)
        self.refused = Counter(
            "isotherm_web_connections_refused",
            "Websockets refused: by origin, cap or while the process ends.",
            ["reason"],
            registry=registry,
        )
        for reason in ("origin", "cap", "draining"):
            self.refused.labels(reason)  # a series that begins with its first refusal would hide that one from rates
        self.closes = Counter("isotherm_web_closes", "Websockets closed by the server.", ["code"], registry=registry)
        self.slow_closed = Counter(
            "isotherm_web_slow_clients_closed", "Clients closed because they were too slow.", registry=registry
        )
        self.resumes = Counter(
            "isotherm_web_resumes", "Clients answered, by how they go on.", ["outcome"], registry=registry
        )
        self.messages = Counter(
            "isotherm_web_messages_sent", "Messages handed to clients.", ["type", "format"], registry=registry
        )
        self.bytes = Counter(
            "isotherm_web_sent_bytes",
            "Bytes handed to clients as they are compressed, frame headers not counted.",
            ["format"],
            registry=registry,
        )
        self.received = Counter(
            "isotherm_web_messages_received", "Messages that clients sent.", ["type"], registry=registry
        )
        self.published = Counter("isotherm_web_deltas_published", "Deltas that went to everyone.", registry=registry)
        self.coalesced = Counter(
            "isotherm_web_deltas_coalesced",
            "Deltas that a client did not get by themselves because an earlier one was still waiting.",
            registry=registry,
        )
        self.commit_to_broadcast = Histogram(
            "isotherm_web_commit_to_broadcast_seconds",
            "From a change's commit in MySQL until its delta is handed to the clients; not for rows that a snapshot read.",
            buckets=_COMMIT_BUCKETS,
            registry=registry,
        )
        self.publish_seconds = Histogram(
            "isotherm_web_publish_seconds",
            "Time to hand one delta to all clients.",
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self.loads = Counter(
            "isotherm_web_state_loads", "Times that the map was loaded from MongoDB.", ["outcome"], registry=registry
        )
        self.batches = Counter("isotherm_web_batches", "Complete batches applied to the map.", registry=registry)
        self.foreign = Counter(
            "isotherm_web_foreign_changes",
            "Changes of served collections that carry no seq, so did not come from the CDC.",
            registry=registry,
        )
        self.stream_age = Gauge(
            "isotherm_web_change_stream_age_seconds",
            "Since the last event of the change stream; the CDC moves its checkpoint every 10 s.",
            registry=registry,
        )
        self.following = Gauge(
            "isotherm_web_change_stream_connected", "1 while the change stream is followed.", registry=registry
        )
        self.seq = Gauge("isotherm_web_seq", "The last complete batch in the map.", registry=registry)
        self.cells = Gauge("isotherm_web_cells", "Cells of the map, with and without data.", registry=registry)
        self.cells_filled = Gauge("isotherm_web_cells_filled", "Cells that have data.", registry=registry)
        self.stale_after = Gauge(
            "isotherm_web_stale_after_seconds",
            "Age from which on a value is shown as stale (WEB_STALE_AFTER_SECONDS).",
            registry=registry,
        )
        self.oldest = Gauge(
            "isotherm_web_data_age_oldest_seconds", "Age of the oldest cell's valid time.", registry=registry
        )
        self.newest = Gauge(
            "isotherm_web_data_age_newest_seconds", "Age of the newest cell's valid time.", registry=registry
        )
        self.loop_lag = Gauge(
            "isotherm_web_event_loop_lag_seconds",
            "How late the latest of the event loop's last 15 ticks was, one each second.",
            registry=registry,
        )
        self.requests = Counter(
            "isotherm_web_http_requests", "HTTP requests.", ["route", "method", "status"], registry=registry
        )
        self.limited = Counter(
            "isotherm_web_http_requests_limited",
            "HTTP requests refused because their address asks too often.",
            registry=registry,
        )
        self.request_seconds = Histogram(
            "isotherm_web_http_request_seconds",
            "Time to answer an HTTP request.",
            ["route"],
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self._series: dict[tuple[Any, tuple[str, ...]], Any] = {}

    def series(self, metric: Kind, *labels: str) -> Kind:
        """Return a metric's series, as `labels` does; remembered, since that takes longer than counting does."""
        found: Kind | None = self._series.get((metric, labels))
        if found is None:
            found = self._series[metric, labels] = metric.labels(*labels)
        return found

    def sent(self, message_type: str, wire: str, size_bytes: int, clients: int = 1) -> None:
        """Count a message handed to so many clients."""
        self.series(self.messages, message_type, wire).inc(clients)
        self.series(self.bytes, wire).inc(size_bytes * clients)
