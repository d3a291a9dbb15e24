"""What is stored, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["open-meteo", "simulator"]


@dataclass(frozen=True, slots=True)
class Place:
    """A point that should be fetched.

    Attributes:
        latitude: degrees north, rounded to 5 decimals.
        longitude: degrees east in [-180, 180), rounded to 5 decimals.
        name: what people call it, if they do.
    """

    latitude: float
    longitude: float
    name: str | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Its coordinates in units of the fifth decimal: equal for equal points, whatever they were computed from."""
        return round(self.latitude * 100_000), round(self.longitude * 100_000)


@dataclass(frozen=True, slots=True)
class Location:
    """An active location and how fresh its data is.

    Attributes:
        id: its key in the table.
        latitude: degrees north.
        longitude: degrees east.
        fetched_at: Unix seconds of its latest data, None before the first.
    """

    id: int
    latitude: float
    longitude: float
    fetched_at: float | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """The latest values of a location, in SI units; None where the model has none.

    Attributes:
        valid_at: Unix seconds, the model's time.
        temperature_2m: °C.
        wind_speed_10m: m/s.
        wind_direction_10m: degrees, where the wind comes from.
        wind_gusts_10m: m/s.
        relative_humidity_2m: %.
        pressure_msl: hPa.
        weather_code: WMO table 4677.
    """

    valid_at: int
    temperature_2m: float | None
    wind_speed_10m: float | None
    wind_direction_10m: float | None
    wind_gusts_10m: float | None
    relative_humidity_2m: float | None
    pressure_msl: float | None
    weather_code: int | None


@dataclass(frozen=True, slots=True)
class Hourly:
    """The hourly series of a location, all of one length, ascending."""

    valid_at: tuple[int, ...]
    temperature_2m: tuple[float | None, ...]
    wind_speed_10m: tuple[float | None, ...]
    wind_direction_10m: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Weather:
    """What one answer says of one location.

    Attributes:
        location_id: whose it is.
        model_latitude: latitude of the model's cell, which is not the one asked for.
        model_longitude: longitude of the model's cell.
        elevation: metres, None if not told.
        current: the latest values.
        hourly: the series around now.
    """

    location_id: int
    model_latitude: float
    model_longitude: float
    elevation: float | None
    current: Current
    hourly: Hourly
