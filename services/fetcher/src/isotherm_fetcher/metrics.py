"""The fetcher's metrics, made of the table of runs and the latest weather.

Runs come and go, their process with them, so a long-lived exporter tells of them. Its counters must never fall, while
the table they are made of loses its old rows: `Totals` therefore counts each run once, when it sees that it has ended,
and keeps its own sums. They begin at 0 when the exporter starts, which Prometheus takes for what it is, a restart;
beginning with the table's sums instead would look like a burst of runs whenever rows had been removed in between.
What is to survive a restart is a gauge: times of the last run and the last success, ages, quota.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from isotherm_fetcher import __version__
from isotherm_fetcher.progress import LATENCY_BOUNDS_SECONDS
from isotherm_fetcher.quota import WindowName, window_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from prometheus_client.core import Metric

    from isotherm_fetcher.quota import Ledger, Limits

OUTCOMES = ("done", "partial", "quota", "failed", "died")


@dataclass
class Totals:
    """Sums over the runs that ended since the exporter started.

    Attributes:
        since: when that was; UTC, as the table has it.
    """

    since: datetime
    runs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    points: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("asked", "stored", "failed"), 0))
    upstream_status: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("200", "429", "error"), 0))
    latency_buckets: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LATENCY_BOUNDS_SECONDS, 0))
    latency_sum_seconds: float = 0.0
    weight: float = 0.0
    duration_count: int = 0
    duration_sum_seconds: float = 0.0
    _newest_id: int | None = None
    _open: set[int] = field(default_factory=set)

    def absorb(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count the runs that have ended since the last call.

        Args:
            rows: of the table; at the first call all of them.
        """
        first = self._newest_id is None
        newest = self._newest_id or 0
        for row in rows:
            is_new = row["id"] > newest
            if not is_new and row["id"] not in self._open:
                continue
            self._newest_id = max(self._newest_id or 0, row["id"])
            if row["outcome"] == "running":
                self._open.add(row["id"])
            else:
                self._open.discard(row["id"])
                if not first or (row["finished_at"] is not None and row["finished_at"] >= self.since):
                    self._count(row)
        self._newest_id = self._newest_id or 0

    @property
    def wanted(self) -> tuple[int, tuple[int, ...]]:
        """Which rows to absorb next: those with a larger id than the first, and those with one of the others."""
        return self._newest_id or 0, tuple(sorted(self._open))

    def _count(self, row: Mapping[str, Any]) -> None:
        self.runs[row["outcome"]] = self.runs.get(row["outcome"], 0) + 1
        for kind in self.points:
            self.points[kind] += row[f"points_{kind}"]
        for status, count in json.loads(row["upstream_status"]).items():
            self.upstream_status[status] = self.upstream_status.get(status, 0) + count
        for bound, count in json.loads(row["upstream_latency_buckets"]).items():
            if bound in self.latency_buckets:
                self.latency_buckets[bound] += count
        self.latency_sum_seconds += row["upstream_latency_sum_seconds"]
        self.weight += sum(json.loads(row["weight_by_minute"]).values())
        if row["finished_at"] is not None:
            self.duration_count += 1
            self.duration_sum_seconds += (row["finished_at"] - row["started_at"]).total_seconds()


@dataclass(frozen=True)
class Snapshot:
    """What the gauges show; times in Unix seconds, None when there is no such thing yet.

    Attributes:
        ledger: what was spent.
        limits: what may be spent.
        blocked_until: until when the upstream refuses to answer.
        locations_wanted: how many the region has.
        locations_with_data: how many have data.
        locations_simulated: how many of those have simulated data.
        stalest_fetched_at: of all locations with data.
        newest_fetched_at: of all locations with data.
        newest_valid_at: of all locations with data.
        last_run_started_at: of the newest run.
        last_run_outcome: of the newest run, which may be running.
        last_ended_duration_seconds: of the newest run that ended.
        last_success_at: when the newest run that stored something it was asked for ended.
        refreshed_at: when all this was read.
    """

    ledger: Ledger
    limits: Limits
    blocked_until: float | None
    locations_wanted: int
    locations_with_data: int
    locations_simulated: int
    stalest_fetched_at: float | None
    newest_fetched_at: float | None
    newest_valid_at: float | None
    last_run_started_at: float | None
    last_run_outcome: str | None
    last_ended_duration_seconds: float | None
    last_success_at: float | None
    refreshed_at: float


class FetcherCollector(Collector):
    """What Prometheus is told; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Totals | None = None
        self._snapshot: Snapshot | None = None
        self._refresh_errors = 0

    def refreshed(self, totals: Totals, snapshot: Snapshot) -> None:
        """Take what was read from the tables. `totals` is copied: the caller goes on counting."""
        with self._lock:
            self._totals = Totals(
                since=totals.since,
                runs=dict(totals.runs),
                points=dict(totals.points),
                upstream_status=dict(totals.upstream_status),
                latency_buckets=dict(totals.latency_buckets),
                latency_sum_seconds=totals.latency_sum_seconds,
                weight=totals.weight,
                duration_count=totals.duration_count,
                duration_sum_seconds=totals.duration_sum_seconds,
            )
            self._snapshot = snapshot

    def refresh_failed(self) -> None:
        """Count a failed attempt to read the tables."""
        with self._lock:
            self._refresh_errors += 1

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        with self._lock:
            totals, snapshot, errors = self._totals, self._snapshot, self._refresh_errors
        yield InfoMetricFamily("isotherm_fetcher", "Version of the exporter.", value={"version": __version__})
        yield _counter("exporter_refresh_errors", "Failed attempts to read the tables.", {(): errors})
        if totals is not None and snapshot is not None:
            yield from _counters(totals)
            yield from _quota_gauges(snapshot)
            yield from _freshness_gauges(snapshot)
            yield from _run_gauges(snapshot)


def _counters(totals: Totals) -> Iterator[Metric]:
    yield _counter("runs", "Runs that ended.", {(name,): count for name, count in totals.runs.items()}, "outcome")
    yield _counter("points_asked", "Points asked for.", {(): totals.points["asked"]})
    yield _counter("points_stored", "Points stored.", {(): totals.points["stored"]})
    yield _counter("points_failed", "Points asked for and not stored.", {(): totals.points["failed"]})
    statuses: dict[tuple[str, ...], float] = {(status,): count for status, count in totals.upstream_status.items()}
    yield _counter("upstream_requests", "Requests to Open-Meteo by status; error: no whole answer.", statuses, "status")
    yield HistogramMetricFamily(
        "isotherm_fetcher_upstream_latency_seconds",
        "How long requests to Open-Meteo took.",
        buckets=list(totals.latency_buckets.items()),
        sum_value=totals.latency_sum_seconds,
    )
    yield _counter("quota_spent_points", "Quota spent, in points.", {(): totals.weight})
    yield SummaryMetricFamily(
        "isotherm_fetcher_run_duration_seconds",
        "How long runs took.",
        count_value=totals.duration_count,
        sum_value=totals.duration_sum_seconds,
    )


def _quota_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    now, limits = snapshot.refreshed_at, snapshot.limits
    names = limits.limited
    yield _gauge(
        "quota_limit_points",
        "Quota of the window, in points; no sample for a window without limit.",
        {(window,): limits.of(window) for window in names},
        "window",
    )
    yield _gauge(
        "quota_left_points",
        "What is left of the window, in points; nothing while Open-Meteo refuses to answer.",
        {(window,): _left(snapshot, window, now) for window in names},
        "window",
    )
    yield _gauge(
        "quota_blocked_until_timestamp_seconds",
        "Until when Open-Meteo refuses to answer; 0 when it does not.",
        {(): snapshot.blocked_until or 0},
    )


def _left(snapshot: Snapshot, window: WindowName, now: float) -> float:
    blocked = snapshot.blocked_until is not None and window_end(now, window) <= snapshot.blocked_until
    return 0.0 if blocked else snapshot.ledger.left(now, window, snapshot.limits)


def _freshness_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    yield _gauge("locations_wanted", "Locations of the region.", {(): snapshot.locations_wanted})
    yield _gauge("locations_with_data", "Locations that have data.", {(): snapshot.locations_with_data})
    yield _gauge("locations_simulated", "Locations whose data is simulated.", {(): snapshot.locations_simulated})
    yield _gauge(
        "stalest_fetched_timestamp_seconds",
        "When the location whose data is oldest was fetched.",
        {(): snapshot.stalest_fetched_at},
    )
    yield _gauge(
        "newest_fetched_timestamp_seconds",
        "When the location whose data is newest was fetched.",
        {(): snapshot.newest_fetched_at},
    )
    yield _gauge(
        "newest_valid_timestamp_seconds", "The newest model time of all locations.", {(): snapshot.newest_valid_at}
    )


def _run_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    yield _gauge("last_run_timestamp_seconds", "When the newest run started.", {(): snapshot.last_run_started_at})
    yield _gauge(
        "last_run_outcome",
        "1 for the outcome of the newest run.",
        {(outcome,): float(outcome == snapshot.last_run_outcome) for outcome in (*OUTCOMES, "running")},
        "outcome",
    )
    yield _gauge(
        "last_run_duration_seconds",
        "How long the newest run that ended took.",
        {(): snapshot.last_ended_duration_seconds},
    )
    yield _gauge(
        "last_success_timestamp_seconds",
        "When the newest run ended that was done or partly done.",
        {(): snapshot.last_success_at},
    )
    yield _gauge("exporter_refresh_timestamp_seconds", "When the tables were last read.", {(): snapshot.refreshed_at})


def _counter(name: str, documentation: str, values: Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    family = CounterMetricFamily(f"isotherm_fetcher_{name}", documentation, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _gauge(name: str, documentation: str, values: Mapping[tuple[str, ...], float | None], *labels: str) -> Metric:
    """Return a gauge; what is not known has no sample."""
    family = GaugeMetricFamily(f"isotherm_fetcher_{name}", documentation, labels=labels)
    for label_values, value in values.items():
        if value is not None:
            family.add_metric(label_values, value)
    return family
