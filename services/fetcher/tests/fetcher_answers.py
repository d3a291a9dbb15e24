"""What Open-Meteo answers: the shared fixtures, and bodies made for locations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isotherm_fetcher.rows import Location

if TYPE_CHECKING:
    from collections.abc import Sequence

FIXTURES = Path(__file__).parents[3] / "tests" / "contracts" / "open_meteo"
VALID_AT = 1_795_534_200


def fixture(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / name).read_text(encoding="utf-8"))
    return loaded


def asked_for(request: dict[str, str]) -> list[Location]:
    points = zip(request["latitude"].split(","), request["longitude"].split(","), strict=True)
    return [Location(number, float(lat), float(lon)) for number, (lat, lon) in enumerate(points, start=101)]


def entry(location: Location, position: int, **current: Any) -> dict[str, Any]:
    """Return one location's answer; its temperature is its id / 100, so that a mix-up is seen."""
    made = {
        "latitude": location.latitude + 0.02,
        "longitude": location.longitude - 0.03,
        "elevation": 12.0,
        "location_id": position,
        "current_units": {
            "time": "unixtime",
            "interval": "seconds",
            "temperature_2m": "°C",
            "wind_speed_10m": "m/s",
            "wind_direction_10m": "°",
            "wind_gusts_10m": "m/s",
            "relative_humidity_2m": "%",
            "pressure_msl": "hPa",
            "weather_code": "wmo code",
        },
        "current": {
            "time": VALID_AT,
            "interval": 900,
            "temperature_2m": location.id / 100,
            "wind_speed_10m": 4.2,
            "wind_direction_10m": 231,
            "wind_gusts_10m": 7.6,
            "relative_humidity_2m": 81,
            "pressure_msl": 1013.2,
            "weather_code": 3,
            **current,
        },
        "hourly_units": {
            "time": "unixtime",
            "temperature_2m": "°C",
            "wind_speed_10m": "m/s",
            "wind_direction_10m": "°",
        },
        "hourly": {
            "time": [VALID_AT + 3600 * hour for hour in range(3)],
            "temperature_2m": [location.id / 100, None, 3],
            "wind_speed_10m": [1.0, 2.0, 3.0],
            "wind_direction_10m": [10, 20, None],
        },
    }
    if position == 0:
        del made["location_id"]
    return made


def body(locations: Sequence[Location]) -> str:
    entries = [entry(location, position) for position, location in enumerate(locations)]
    return json.dumps(entries[0] if len(entries) == 1 else entries)
