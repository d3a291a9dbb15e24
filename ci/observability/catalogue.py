"""Every metric that the services' code has: name, kind, labels, meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from isotherm_cdc import metrics as cdc_metrics
from isotherm_fetcher.metrics import FetcherCollector, Snapshot, Totals
from isotherm_fetcher.quota import Ledger, Limits
from isotherm_simulator.metrics import Metrics as SimulatorMetrics
from isotherm_web.metrics import Metrics as WebMetrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric

SERVICES = ("fetcher", "cdc", "web", "simulator")
_SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("_sum", "_count"),
    "info": ("_info",),
}
OF_EVERY_PROCESS = {
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
    "python_gc_collections_total",
    "python_gc_objects_collected_total",
    "python_gc_objects_uncollectable_total",
    "python_info",
}
"""What the Prometheus library adds to each process."""


@dataclass(frozen=True)
class Entry:
    """One metric.

    Attributes:
        service: which service has it.
        name: without the suffixes of its kind.
        kind: counter, gauge, histogram, summary or info.
        labels: its own.
        help: what it tells.
    """

    service: str
    name: str
    kind: str
    labels: tuple[str, ...]
    help: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus has it."""
        return tuple(self.name + suffix for suffix in _SUFFIXES[self.kind])


def catalogue() -> list[Entry]:
    """Return all metrics of all services, in the order of the code."""
    web, simulator = CollectorRegistry(), CollectorRegistry()
    WebMetrics(web)
    SimulatorMetrics(simulator)
    wrappers = {
        "cdc": [value for value in vars(cdc_metrics).values() if isinstance(value, MetricWrapperBase)],
        "web": list(web._collector_to_names),  # noqa: SLF001 - the library has no public way to list them
        "simulator": list(simulator._collector_to_names),  # noqa: SLF001
    }
    entries = [*_collected("fetcher", _fetcher())]
    for service, found in wrappers.items():
        for wrapper in found:
            (family,) = wrapper.describe()
            entries.append(Entry(service, family.name, family.type, tuple(wrapper._labelnames), family.documentation))  # noqa: SLF001
    return entries


def _collected(service: str, families: Iterable[Metric]) -> list[Entry]:
    entries = []
    for family in families:
        labels = {label for sample in family.samples for label in sample.labels} - {"le", "version"}
        entries.append(Entry(service, family.name, family.type, tuple(sorted(labels)), family.documentation))
    return entries


def _fetcher() -> Iterable[Metric]:
    collector = FetcherCollector()
    snapshot = Snapshot(
        ledger=Ledger(),
        limits=Limits(minute=1, hour=1, day=1),
        blocked_until=None,
        locations_wanted=1,
        locations_with_data=1,
        locations_simulated=0,
        stalest_fetched_at=1.0,
        newest_fetched_at=1.0,
        newest_valid_at=1.0,
        last_run_started_at=1.0,
        last_run_outcome="done",
        last_ended_duration_seconds=1.0,
        last_success_at=1.0,
        refreshed_at=1.0,
    )
    collector.refreshed(Totals(since=datetime(2026, 1, 1, tzinfo=UTC)), snapshot)
    return collector.collect()


def buckets(name: str) -> set[float]:
    """Return the bounds of the buckets of a histogram of the web server."""
    registry = CollectorRegistry()
    WebMetrics(registry)
    text = prometheus_client.generate_latest(registry).decode()
    return {float(bound) for bound in re.findall(rf'{name}_bucket{{le="([^"]+)"', text)}


def table() -> str:
    """Return docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Generated from the code by `ci/observability/generate.py`. Every service serves them at `/metrics` of its metrics",
        "port (fetcher's exporter 9101, cdc 9102, web 9103, simulator 9104). Counters have the suffix `_total`, histograms",
        "`_bucket`, `_sum` and `_count`. What every process has besides (`process_*`, `python_*`) is the Prometheus library's.",
        "[Alerts](runbooks/README.md) and the dashboards in `charts/isotherm/dashboards` use them; a test sees to it that all",
        "of these exist and that each is used.",
    ]
    entries = catalogue()
    for service in SERVICES:
        lines += ["", f"## {service}", "", "| metric | kind | labels | what it tells |", "|---|---|---|---|"]
        for entry in entries:
            if entry.service == service:
                labels = ", ".join(f"`{label}`" for label in entry.labels)
                lines.append(f"| `{entry.name}` | {entry.kind} | {labels} | {entry.help} |")
    return "\n".join(lines) + "\n"
