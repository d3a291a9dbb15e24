"""The long-lived process that tells Prometheus about the runs: it reads the tables now and then, never at a scrape."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from isotherm_common.observability import Health, ObservabilityServer
from isotherm_common.retry import ShutdownDuringRetry
from isotherm_fetcher import runs
from isotherm_fetcher.errors import DatabaseUnavailable
from isotherm_fetcher.metrics import FetcherCollector, Snapshot, Totals
from isotherm_fetcher.mysql import open_database
from isotherm_fetcher.times import to_datetime, to_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_common.shutdown import Shutdown
    from isotherm_fetcher.mysql import Database
    from isotherm_fetcher.quota import Limits
    from isotherm_fetcher.settings import Settings

REFRESH_SECONDS = 5.0
_HEARTBEAT_TIMEOUT_SECONDS = 180.0

log = structlog.get_logger()


def export(settings: Settings, shutdown: Shutdown) -> None:
    """Serve metrics and health until the process is asked to end."""
    wanted = len(settings.region.places())
    collector = FetcherCollector()
    registry = CollectorRegistry()
    registry.register(collector)
    for about_the_process in (GCCollector, PlatformCollector, ProcessCollector):
        about_the_process(registry=registry)
    health = Health("mysql", heartbeat_timeout_seconds=_HEARTBEAT_TIMEOUT_SECONDS)
    reader = Reader(settings.limits, wanted, time.time(), simulated=not settings.open_meteo.public)
    with ObservabilityServer(settings.observability, health, registry=registry) as server:
        log.info("exporting", port=server.port)
        loop(lambda: open_database(settings.mysql, shutdown, beat=health.beat), reader, collector, health, shutdown)


def loop(
    connect: Callable[[], Database], reader: Reader, collector: FetcherCollector, health: Health, shutdown: Shutdown
) -> None:
    """Read the tables again and again; a lost connection is made anew.

    Args:
        connect: opens a connection, waiting for the schema.
        reader: reads the tables.
        collector: is told what was read.
        health: beats with the loop; `mysql` is its condition.
        shutdown: ends the loop.
    """
    database: Database | None = None
    try:
        while not shutdown.requested:
            health.beat()
            try:
                database = database or connect()
                collector.refreshed(reader.totals, reader.read(database, time.time()))
                health.ready("mysql")
            except ShutdownDuringRetry:
                return
            except DatabaseUnavailable as error:
                log.warning("tables_not_read", error=str(error))
                collector.refresh_failed()
                health.not_ready("mysql", str(error))
                if database is not None:
                    database.close()
                database = None
            shutdown.wait(REFRESH_SECONDS)
    finally:
        if database is not None:
            database.close()


class Reader:
    """Reads the tables that the exporter's user may read: runs and the latest weather.

    Args:
        limits: of the quota.
        wanted: how many locations the region has.
        since: Unix seconds from which runs that end are counted.
        simulated: whether what was asked of the simulator counts as spent.
    """

    def __init__(self, limits: Limits, wanted: int, since: float, *, simulated: bool) -> None:
        self.totals = Totals(since=to_datetime(since))
        self._limits = limits
        self._wanted = wanted
        self._simulated = simulated

    def read(self, database: Database, now: float) -> Snapshot:
        """Count the runs that ended, and return what the gauges show."""
        newest, still_open = self.totals.wanted
        self.totals.absorb(
            database.read(
                "SELECT * FROM fetch_runs WHERE id > %s OR id IN %s ORDER BY id", (newest, still_open or (0,))
            )
        )
        (data,) = database.read(
            "SELECT COUNT(*) AS locations, COUNT(IF(source = 'simulator', 1, NULL)) AS simulated, "
            "MIN(fetched_at) AS stalest, MAX(fetched_at) AS newest, MAX(valid_at) AS valid FROM weather_data"
        )
        last = _first(database, "SELECT started_at, outcome FROM fetch_runs ORDER BY id DESC LIMIT 1")
        ended = _first(
            database,
            "SELECT started_at, finished_at FROM fetch_runs WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1",
        )
        success = _first(
            database,
            "SELECT finished_at FROM fetch_runs WHERE outcome IN ('done', 'partial') ORDER BY id DESC LIMIT 1",
        )
        return Snapshot(
            ledger=runs.spent(database, now, simulated=self._simulated),
            limits=self._limits,
            blocked_until=runs.blocked_until(database, now) if self._limits.limited else None,
            locations_wanted=self._wanted,
            locations_with_data=data["locations"],
            locations_simulated=data["simulated"],
            stalest_fetched_at=to_seconds(data["stalest"]),
            newest_fetched_at=to_seconds(data["newest"]),
            newest_valid_at=to_seconds(data["valid"]),
            last_run_started_at=to_seconds(last.get("started_at")),
            last_run_outcome=last.get("outcome"),
            last_ended_duration_seconds=(ended["finished_at"] - ended["started_at"]).total_seconds() if ended else None,
            last_success_at=to_seconds(success.get("finished_at")),
            refreshed_at=now,
        )


def _first(database: Database, statement: str) -> dict[str, Any]:
    rows = database.read(statement)
    return rows[0] if rows else {}
