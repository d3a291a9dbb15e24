"""The tables of locations and weather: everything is written so that writing it twice, or late, does no harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from isotherm_fetcher.locations import Changes, Known, compare
from isotherm_fetcher.query import CURRENT, HOURLY
from isotherm_fetcher.rows import Location, Place
from isotherm_fetcher.times import to_datetime, to_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pymysql.cursors import Cursor

    from isotherm_fetcher.mysql import Database
    from isotherm_fetcher.rows import Source, Weather

_ROWS_PER_STATEMENT = 500

# The columns that the condition reads are assigned last: MySQL assigns from left to right and later conditions see what
# was assigned. Whatever is newer stays, both by the model's time and by ours; the simulator's time may run ahead of the
# real one, so its rows yield to any that were fetched later.
_DATA_COLUMNS = (*CURRENT, "model_latitude", "model_longitude", "run_id", "valid_at", "fetched_at", "source")
_DATA_IS_NEWER = (
    "new.fetched_at >= weather_data.fetched_at "
    "AND (new.valid_at >= weather_data.valid_at OR weather_data.source = 'simulator')"
)
_HISTORY_COLUMNS = (*CURRENT, "source", "run_id", "fetched_at")
_FORECAST_COLUMNS = ("valid_at", *HOURLY, "source", "run_id", "issued_at")


def read_locations(database: Database) -> list[Known]:
    """Return all rows of the table of locations."""
    rows = database.read("SELECT id, latitude, longitude, name, active FROM locations ORDER BY id")
    return [
        Known(row["id"], Place(float(row["latitude"]), float(row["longitude"]), row["name"]), bool(row["active"]))
        for row in rows
    ]


def synchronise(database: Database, region: Sequence[Place]) -> Changes:
    """Make the active locations equal to the region, in one transaction; return what changed.

    A location that left the region is deactivated, never deleted, and comes back under its id. Its latest values and
    its forecast are removed by `remove_inactive`; its history stays until its retention ends it.
    """
    changes = compare(region, read_locations(database))
    if changes:
        database.transaction(lambda cursor: _apply(cursor, changes))
    return changes


def _apply(cursor: Cursor, changes: Changes) -> None:
    for chunk in _chunks(changes.insert):
        parameters = [
            value for place in chunk for value in (_degrees(place.latitude), _degrees(place.longitude), place.name)
        ]
        rows = ", ".join(["(%s, %s, %s, TRUE)"] * len(chunk))
        cursor.execute(f"INSERT INTO locations (latitude, longitude, name, active) VALUES {rows}", parameters)  # noqa: S608
    for active, ids in ((True, changes.activate), (False, changes.deactivate)):
        for chunk in _chunks(ids):
            cursor.execute("UPDATE locations SET active = %s WHERE id IN %s", (active, tuple(chunk)))
    for location_id, name in changes.rename:
        cursor.execute("UPDATE locations SET name = %s WHERE id = %s", (name, location_id))


def _degrees(value: float) -> str:
    return f"{value:.5f}"


def active_locations(database: Database, *, simulated: bool) -> list[Location]:
    """Return the active locations and how fresh their data is.

    Args:
        database: where they are.
        simulated: whether simulated weather counts as data; where real weather is to be had, it does not.
    """
    rows = database.read(
        "SELECT l.id, l.latitude, l.longitude, w.fetched_at, w.source FROM locations AS l "
        "LEFT JOIN weather_data AS w ON w.location_id = l.id WHERE l.active"
    )
    return [
        Location(
            row["id"],
            float(row["latitude"]),
            float(row["longitude"]),
            to_seconds(row["fetched_at"]) if simulated or row["source"] != "simulator" else None,
        )
        for row in rows
    ]


def write_weather(cursor: Cursor, weather: Sequence[Weather], source: Source, fetched_at: float, run_id: int) -> None:
    """Write the latest values, the history and the forecasts, as one part of a transaction."""
    ordered = sorted(weather, key=lambda row: row.location_id)  # one order for all writers: no deadlocks
    fetched = to_datetime(fetched_at)
    for chunk in _chunks(ordered):
        _write_data(cursor, chunk, source, fetched, run_id)
        _write_history(cursor, chunk, source, fetched, run_id)
        _write_forecast(cursor, chunk, source, fetched, run_id)
        _write_elevation(cursor, chunk)


def _write_data(cursor: Cursor, weather: Sequence[Weather], source: Source, fetched: Any, run_id: int) -> None:
    rows = [
        (
            row.location_id,
            *(getattr(row.current, name) for name in CURRENT),
            row.model_latitude,
            row.model_longitude,
            run_id,
            to_datetime(row.current.valid_at),
            fetched,
            source,
        )
        for row in weather
    ]
    _upsert(cursor, "weather_data", ("location_id",), _DATA_COLUMNS, _DATA_IS_NEWER, rows)


def _write_history(cursor: Cursor, weather: Sequence[Weather], source: Source, fetched: Any, run_id: int) -> None:
    rows = [
        (
            row.location_id,
            to_datetime(row.current.valid_at),
            *(getattr(row.current, name) for name in CURRENT),
            source,
            run_id,
            fetched,
        )
        for row in weather
    ]
    newer = "new.fetched_at >= weather_history.fetched_at"
    _upsert(cursor, "weather_history", ("location_id", "valid_at"), _HISTORY_COLUMNS, newer, rows)


def _write_forecast(cursor: Cursor, weather: Sequence[Weather], source: Source, fetched: Any, run_id: int) -> None:
    rows = [
        (
            row.location_id,
            json.dumps(row.hourly.valid_at),
            *(json.dumps(getattr(row.hourly, name)) for name in HOURLY),
            source,
            run_id,
            fetched,
        )
        for row in weather
    ]
    newer = "new.issued_at >= weather_forecast.issued_at"
    _upsert(cursor, "weather_forecast", ("location_id",), _FORECAST_COLUMNS, newer, rows)


def _write_elevation(cursor: Cursor, weather: Sequence[Weather]) -> None:
    known = [(row.location_id, row.elevation) for row in weather if row.elevation is not None]
    if not known:
        return
    rows = ", ".join(["ROW(%s, %s)"] * len(known))
    cursor.execute(
        f"UPDATE locations AS l JOIN (VALUES {rows}) AS v (id, elevation) ON v.id = l.id "  # noqa: S608
        "SET l.elevation = v.elevation WHERE l.elevation IS NULL OR l.elevation <> v.elevation",
        [value for pair in known for value in pair],
    )


def _upsert(
    cursor: Cursor,
    table: str,
    key: Sequence[str],
    columns: Sequence[str],
    newer: str,
    rows: Sequence[Sequence[Any]],
) -> None:
    """Insert rows; where the key is there already, take the new row if `newer` holds and keep the old one if not."""
    placeholders = ", ".join(["(" + ", ".join(["%s"] * (len(key) + len(columns))) + ")"] * len(rows))
    updates = ", ".join(f"{name} = IF({newer}, new.{name}, {table}.{name})" for name in columns)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join((*key, *columns))}) VALUES {placeholders} AS new "  # noqa: S608
        f"ON DUPLICATE KEY UPDATE {updates}",
        [value for row in rows for value in row],
    )


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[first : first + _ROWS_PER_STATEMENT] for first in range(0, len(items), _ROWS_PER_STATEMENT))
