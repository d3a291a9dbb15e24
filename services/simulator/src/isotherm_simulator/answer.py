"""The JSON of an answer: one object for one location, a list for several."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from isotherm_simulator import grid
from isotherm_simulator.variables import CURRENT_WEATHER, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from isotherm_simulator.query import Query
    from isotherm_simulator.units import Unit
    from isotherm_simulator.variables import Variable
    from isotherm_simulator.weather import Conditions, Weather

_LAPSE_PER_M = 0.0065
_QUARTER_SECONDS = 900
_SHORTEST_SECONDS = 10


def interval_seconds(speed: float) -> int:
    """Return how far apart the times of the present are.

    At real speed they are 900 s apart. Where the weather runs faster they are nearer to one another in proportion, so
    that every fetch finds weather that has changed, and a time that says so; they stay beside the real clock.
    """
    wanted = max(_QUARTER_SECONDS / max(speed, 1.0), _SHORTEST_SECONDS)
    return max(step for step in range(1, _QUARTER_SECONDS + 1) if _QUARTER_SECONDS % step == 0 and step <= wanted)


def build(query: Query, weather: Weather, now: float, interval: int = _QUARTER_SECONDS) -> list[dict[str, Any]]:
    """Return one object for each location, in the order asked for.

    Args:
        query: the request.
        weather: what is answered from.
        now: Unix seconds.
        interval: the present is the last multiple of so many seconds.
    """
    begin = time.perf_counter()
    latitude, longitude = grid.select(
        weather, np.array(query.latitude), np.array(query.longitude), query.cell_selection
    )
    ground = weather.elevation(latitude, longitude)
    asked = ground if query.elevation is None else np.array(query.elevation)
    above = np.where(np.isnan(asked), 0.0, asked - ground)[:, None]
    heads = [
        {
            "latitude": float(np.float32(phi)),
            "longitude": float(np.float32(lam)),
            "generationtime_ms": 0.0,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "timezone_abbreviation": "GMT",
            **({} if np.isnan(height) else {"elevation": round(float(height), 1)}),
            **({"location_id": number} if number else {}),
        }
        for phi, lam, height, number in zip(latitude, longitude, asked, query.location_ids, strict=True)
    ]
    for name, chosen, present in _sections(query):
        times = [int(now // interval) * interval] if present else query.hours(now)
        conditions = weather.at(latitude, longitude, times)
        columns = _columns(query, chosen, conditions, above)
        units: dict[str, str] = {"time": "unixtime" if query.unix_time else "iso8601"}
        if present:
            units["interval"] = "seconds"
        units |= {key: unit.symbol for key, (unit, _) in columns.items()}
        written: Any = times if query.unix_time else [_iso(seconds) for seconds in times]
        for index, head in enumerate(heads):
            head[f"{name}_units"] = units
            values = {key: rows[index] for key, (_, rows) in columns.items()}
            head[name] = (
                {"time": written[0], "interval": interval, **{key: row[0] for key, row in values.items()}}
                if present
                else {"time": written, **values}
            )
    spent_ms = (time.perf_counter() - begin) * 1000 / len(heads)
    for head in heads:
        head["generationtime_ms"] = spent_ms
    return heads


def _sections(query: Query) -> list[tuple[str, Mapping[str, Variable], bool]]:
    sections: list[tuple[str, Mapping[str, Variable], bool]] = []
    if query.current_weather:
        sections.append(("current_weather", CURRENT_WEATHER, True))
    elif query.current:
        sections.append(("current", {name: VARIABLES[name] for name in query.current}, True))
    if query.hourly:
        sections.append(("hourly", {name: VARIABLES[name] for name in query.hourly}, False))
    return sections


def _columns(
    query: Query, chosen: Mapping[str, Variable], conditions: Conditions, above: Any
) -> dict[str, tuple[Unit, Sequence[Sequence[float]]]]:
    columns: dict[str, tuple[Unit, Sequence[Sequence[float]]]] = {}
    for name, variable in chosen.items():
        values = variable.read(conditions)
        if variable.unit == "temperature":
            values = values - _LAPSE_PER_M * above
        unit = variable.unit_for(query.temperature_unit, query.wind_speed_unit)
        written = unit.write(values)
        columns[name] = (unit, (written if unit.decimals else written.astype(np.int64)).tolist())
    return columns


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")
