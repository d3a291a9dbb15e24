"""Deleting what is no longer wanted: small statements over an index, each a transaction of its own.

The fetcher is the only one that deletes. Its deletes go through the binary log like every other change, so the target
stays equal to the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_fetcher.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isotherm_common.shutdown import Shutdown
    from isotherm_fetcher.mysql import Database

ROWS_PER_DELETE = 500
DELETES_PER_RUN = 100
"""A run's share of a large removal: what is left is the next run's."""


def remove_inactive(database: Database, shutdown: Shutdown) -> int:
    """Remove the latest values and forecasts of locations that left the region: they would only grow stale."""
    removed = 0
    for table in ("weather_data", "weather_forecast"):

        def chunk(table: str = table) -> int:
            rows = database.read(
                f"SELECT w.location_id FROM {table} AS w LEFT JOIN locations AS l ON l.id = w.location_id "  # noqa: S608
                f"WHERE l.active IS NOT TRUE LIMIT {ROWS_PER_DELETE}"
            )
            if not rows:
                return 0
            ids = tuple(row["location_id"] for row in rows)
            return database.write(f"DELETE FROM {table} WHERE location_id IN %s", (ids,))  # noqa: S608

        removed += _in_chunks(chunk, shutdown)
    return removed


def remove_old_history(database: Database, before: float, shutdown: Shutdown) -> int:
    """Remove the history that was valid before a time."""
    return _delete_in_chunks(
        database, "DELETE FROM weather_history WHERE valid_at < %s ORDER BY valid_at", (to_datetime(before),), shutdown
    )


def remove_old_runs(database: Database, before: float, shutdown: Shutdown) -> int:
    """Remove the record of runs that started before a time."""
    return _delete_in_chunks(
        database,
        "DELETE FROM fetch_runs WHERE started_at < %s AND outcome <> 'running' ORDER BY id",
        (to_datetime(before),),
        shutdown,
    )


def _delete_in_chunks(database: Database, statement: str, parameters: Sequence[object], shutdown: Shutdown) -> int:
    return _in_chunks(lambda: database.write(f"{statement} LIMIT {ROWS_PER_DELETE}", parameters), shutdown)


def _in_chunks(delete: Callable[[], int], shutdown: Shutdown) -> int:
    removed = 0
    for _ in range(DELETES_PER_RUN):
        count = 0 if shutdown.requested else delete()
        removed += count
        if count < ROWS_PER_DELETE:
            break
    return removed
