"""How weather is asked for: 10 variables, which weigh 1 a location (facts: `quota.weight_of_point`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_fetcher.quota import weight_of_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_fetcher.rows import Location

CURRENT = (
    "temperature_2m",
    "wind_speed_10m",
    "wind_direction_10m",
    "wind_gusts_10m",
    "relative_humidity_2m",
    "pressure_msl",
    "weather_code",
)
HOURLY = ("temperature_2m", "wind_speed_10m", "wind_direction_10m")
PAST_HOURS = 24
FORECAST_HOURS = 48

UNITS = {
    "time": "unixtime",
    "temperature_2m": "°C",
    "wind_speed_10m": "m/s",
    "wind_direction_10m": "°",
    "wind_gusts_10m": "m/s",
    "relative_humidity_2m": "%",
    "pressure_msl": "hPa",
    "weather_code": "wmo code",
}
"""The units asked for. An answer in others is not stored."""

WEIGHT_OF_POINT = weight_of_point(len(CURRENT) + len(HOURLY), (PAST_HOURS + FORECAST_HOURS) / 24)


def parameters(locations: Sequence[Location]) -> dict[str, str]:
    """Return the parameters of `/v1/forecast` for these locations.

    `cell_selection` is nearest: with the default, land, points at a coast would snap to the land.
    """
    return {
        "latitude": ",".join(f"{location.latitude:.5f}" for location in locations),
        "longitude": ",".join(f"{location.longitude:.5f}" for location in locations),
        "current": ",".join(CURRENT),
        "hourly": ",".join(HOURLY),
        "past_hours": str(PAST_HOURS),
        "forecast_hours": str(FORECAST_HOURS),
        "wind_speed_unit": "ms",
        "timeformat": "unixtime",
        "cell_selection": "nearest",
    }
