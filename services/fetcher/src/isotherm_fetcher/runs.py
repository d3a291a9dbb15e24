"""The table of runs (contract S6): what each run asked for, stored and spent.

A run's row is written before each request and after it, so that what a run spent is known even when it died.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from isotherm_fetcher.quota import Ledger, window_start
from isotherm_fetcher.times import to_datetime, to_seconds

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

    from isotherm_fetcher.mysql import Database
    from isotherm_fetcher.progress import Outcome, Progress

_LONGEST_RUN_SECONDS = 86_400
_LONGEST_MEMORY_SECONDS = 30 * 86_400


def start(database: Database, now: float) -> int:
    """Enter a run that begins; return its key. Holding the lock, every other run that seems to go on has died."""
    database.write(
        "UPDATE fetch_runs SET outcome = 'died', error = COALESCE(error, 'the process ended without finishing the run') "
        "WHERE outcome = 'running'"
    )
    return database.insert("INSERT INTO fetch_runs (started_at, outcome) VALUES (%s, 'running')", (to_datetime(now),))


def save(
    cursor: Cursor, run_id: int, progress: Progress, outcome: Outcome = "running", now: float | None = None
) -> None:
    """Write a run's row.

    Args:
        cursor: of the transaction that it belongs to.
        run_id: the row.
        progress: what it did so far.
        outcome: how it ended, if it did.
        now: when it ended.
    """
    weights = {
        str(minute): round(weight, 3) for minute, weight in progress.weight_by_minute.by_minute.items() if weight
    }
    cursor.execute(
        "UPDATE fetch_runs SET finished_at = %s, outcome = %s, source = %s, points_asked = %s, points_stored = %s, "
        "points_failed = %s, upstream_status = %s, upstream_latency_buckets = %s, upstream_latency_sum_seconds = %s, "
        "weight_by_minute = %s, blocked_until = %s, error = %s WHERE id = %s",
        (
            None if now is None else to_datetime(now),
            outcome,
            progress.source,
            progress.asked,
            progress.stored,
            progress.failed,
            json.dumps(progress.upstream_status),
            json.dumps(progress.latency_buckets()),
            round(progress.latency_sum_seconds, 6),
            json.dumps(weights),
            None if progress.blocked_until is None else to_datetime(int(progress.blocked_until)),
            progress.error,
            run_id,
        ),
    )


def spent(database: Database, now: float, *, simulated: bool, remembered_seconds: float = 0.0) -> Ledger:
    """Return what all runs spent in the windows around `now`, and before it.

    Args:
        database: where the runs are.
        now: Unix seconds.
        simulated: whether what was asked of the simulator counts too. It costs nothing of Open-Meteo's quota.
        remembered_seconds: how far back at least.
    """
    since = min(window_start(now, "day"), now - min(remembered_seconds, _LONGEST_MEMORY_SECONDS)) - _LONGEST_RUN_SECONDS
    rows = database.read(
        "SELECT weight_by_minute, source FROM fetch_runs WHERE started_at >= %s", (to_datetime(since),)
    )
    return ledger_of(row for row in rows if simulated or row["source"] != "simulator")


def ledger_of(rows: Any) -> Ledger:
    """Add up the weights of rows."""
    return Ledger.of_runs(json.loads(row["weight_by_minute"]) for row in rows)


def blocked_until(database: Database, now: float) -> float | None:
    """Return until when the upstream said that it refuses to answer, if that is still to come."""
    (row,) = database.read(
        "SELECT MAX(blocked_until) AS until FROM fetch_runs WHERE blocked_until > %s", (to_datetime(now),)
    )
    return to_seconds(row["until"])
